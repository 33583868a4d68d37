// A person writes on WhatsApp: the journey from the webhook to the answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessToken, appSecret, notify, number, picture } from '../meta.mjs'
import { base, call, client, eventually, get, meta, post } from '../world.mjs'

const zoe = '15551230001'

test('a person writes with a picture, and everything can be read back', async () => {
  const bot = await client.bot.create({ name: 'Ada', model: 'simulated-1' })
  const { id } = await client.integration.whatsapp.create({
    name: 'Live', botId: bot.id, phoneNumberId: number, accessToken, appSecret, attachments: true, contactCollection: true,
  })
  const callback = `${base}/api/v1/integration/whatsapp/${id}/callback`
  const { verifyToken } = await client.integration.whatsapp.fetch(id)
  const verified = await call('GET', `/integration/whatsapp/${id}/callback?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${verifyToken}`)
  assert.equal(await verified.text(), '1158201444')

  const taken = await notify(callback, zoe, { type: 'image', image: { id: 'media-1', mime_type: 'image/png', caption: 'Grüße 🤖' } })
  assert.deepEqual([taken.status, await taken.json()], [200, {}])
  await eventually('the bot answers', () => meta.textsTo(zoe).length > 0)
  assert.match(meta.textsTo(zoe)[0], /Grüße 🤖/)

  const conversation = await eventually('the conversation is there', async () =>
    (await client.conversation.list({ meta: { 'whatsapp.integrationId': id } })).items[0])
  assert.equal(conversation.meta.app, 'whatsapp')
  const messages = await eventually('the answer is in the history', async () => {
    const { items } = await client.conversation.message.list(conversation.id)
    return items.some((m) => m.type === 'bot') && items
  })
  assert.ok(messages.some((m) => m.type === 'user' && m.text.includes('Grüße 🤖')), JSON.stringify(messages))
  const one = await client.conversation.message.fetch(conversation.id, messages[0].id)
  assert.equal(one.text, messages[0].text)

  const { items: [attachment] } = await get(`/conversation/${conversation.id}/attachment/list`)
  assert.equal(attachment.type, 'image/png')
  const bytes = await (await call('GET', `/conversation/${conversation.id}/attachment/${attachment.id}/download`)).arrayBuffer()
  assert.deepEqual(Buffer.from(bytes), picture)

  const contact = await client.contact.fetch((await client.conversation.fetch(conversation.id)).contactId)
  assert.deepEqual([contact.phone, contact.name], [`+${zoe}`, 'Zoë 🤖'])
  assert.deepEqual((await client.contact.conversation.list(contact.id)).items.map((c) => c.id), [conversation.id])
})

test('the business writes first, and deletes the integration in the end', async () => {
  const integration = (await client.integration.whatsapp.list()).items.find((i) => i.name === 'Live')
  const to = '15551230002'
  const first = await post(`/integration/whatsapp/${integration.id}/initiate`, { to: `+${to}`, text: 'Your order is ready', idempotencyKey: 'order-1' })
  assert.equal(first.id, integration.id)
  await post(`/integration/whatsapp/${integration.id}/initiate`, { to, text: 'Your order is ready', idempotencyKey: 'order-1' })
  await eventually('the message goes out', () => meta.textsTo(to).length > 0)
  assert.deepEqual(meta.textsTo(to), ['Your order is ready'])

  await client.integration.whatsapp.delete(integration.id)
  const callback = `${base}/api/v1/integration/whatsapp/${integration.id}/callback`
  assert.equal((await notify(callback, zoe, { type: 'text', text: { body: 'Anybody?' } })).status, 404)
  assert.ok((await client.conversation.list({ meta: { 'whatsapp.integrationId': integration.id } })).items.length > 0)
})
