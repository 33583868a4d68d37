// A simulated Meta: takes messages as the Cloud API does, hands files out, and
// posts signed webhooks.
import { createHash, createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { address, close, json, listen, read } from './model.mjs'

export const accessToken = 'EAAG-simulated-token'
export const appSecret = 'simulated-app-secret'
export const number = '106540352242922'
export const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108020000', 'hex'), Buffer.from('0001020304', 'hex')])

export async function startMeta() {
  const sent = []
  let count = 0
  const server = createServer(async (request, response) => {
    const body = await read(request)
    if (request.headers.authorization !== `Bearer ${accessToken}`) {
      return json(response, { error: { message: 'Invalid OAuth access token', type: 'OAuthException', code: 190 } }, 401)
    }
    if (request.url.includes('/messages')) {
      const message = JSON.parse(body)
      if (message.status === 'read') return json(response, { success: true })
      sent.push(message)
      return json(response, { messaging_product: 'whatsapp', contacts: [{ input: message.to, wa_id: message.to }], messages: [{ id: `wamid.sent.${++count}` }] })
    }
    if (request.url.startsWith('/file/')) {
      response.writeHead(200, { 'content-type': 'image/png' })
      return response.end(picture)
    }
    return json(response, {
      messaging_product: 'whatsapp', id: 'media-1', url: `${address(server)}/file/1`, mime_type: 'image/png',
      sha256: createHash('sha256').update(picture).digest('hex'), file_size: picture.length,
    })
  })
  await listen(server)
  return { url: address(server), sent, textsTo: (to) => sent.filter((m) => m.to === to && m.text).map((m) => m.text.body), close: () => close(server) }
}

// notify posts what somebody wrote to a callback, and gives the answer.
export async function notify(callback, from, message) {
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{
      id: '102290129340398',
      changes: [{
        field: 'messages',
        value: {
          messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: number },
          contacts: [{ profile: { name: 'Zoë 🤖' }, wa_id: from }],
          messages: [{ from, id: `wamid.${from}.${Math.random()}`, timestamp: String(Math.floor(Date.now() / 1000)), ...message }],
        },
      }],
    }],
  })
  const signature = `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`
  return fetch(callback, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature }, body })
}
