// The log through the clients that other programs use.
import { after } from 'node:test'
import { stop } from './world.mjs'

import './tests/streams.mjs'
import './tests/subscriptions.mjs'
import './tests/removal.mjs'
import './tests/refusals.mjs'
import './tests/conversations.mjs'
import './tests/users.mjs'

after(stop)
