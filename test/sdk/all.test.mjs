// One run over the whole API, through the SDK that clients use.
import { after } from 'node:test'
import { stop } from './world.mjs'

import './tests/resources.mjs'
import './tests/lists.mjs'
import './tests/whatsapp.mjs'
import './tests/conversations.mjs'
import './tests/contacts.mjs'
import './tests/files.mjs'
import './tests/events.mjs'
import './tests/errors.mjs'
import './tests/coverage.mjs'

after(stop)
