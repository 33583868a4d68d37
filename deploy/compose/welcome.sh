#!/bin/sh
# Says what there is to see.
set -eu
cd "$(dirname "$0")/../.."

value() { sed -n "s/^$1=//p" .env | tail -n 1; }
address=$(value PARLEY_PORT)
address=${address:-127.0.0.1:8080}

cat <<END

Parley is up: three nodes behind http://$address

  Try a bot:      S=\$(sed -n 's/^PARLEY_TOKENS=default://p' .env)
                  curl -H "Authorization: Bearer \$S" -H 'Content-Type: application/json' \\
                    http://$address/api/v1/conversation/complete \\
                    -d '{"backstory": "+ *\\n- You said <star>.", "messages": [{"type": "user", "text": "Hello!"}]}'
  Look at it:     http://127.0.0.1:3000, as admin with the password in .env
  What it logs:   docker compose logs --follow parley1 parley2 parley3

Settings are in .env; run make up again after a change. Stop it with make down:
everything stays in volumes. A real number: docs/whatsapp-setup.md.

END
