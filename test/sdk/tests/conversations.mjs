// Conversations and messages, and bots that answer in them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, client, collect, get } from '../world.mjs'

test('a conversation and its messages are made, read, changed and deleted', async () => {
  const { id, messages } = await client.conversation.create({
    name: 'Trial', meta: { a: 1 }, messages: [{ type: 'user', text: 'Hello' }, { type: 'bot', text: 'Good day' }],
  })
  assert.equal(messages.length, 2)
  await client.conversation.update(id, { description: 'A trial', meta: { b: 2 } })
  const conversation = await client.conversation.fetch(id)
  assert.deepEqual([conversation.name, conversation.description, conversation.meta], ['Trial', 'A trial', { a: 1, b: 2 }])

  const { id: message, entities } = await client.conversation.message.create(id, { type: 'context', text: 'It rains' })
  assert.deepEqual(entities, [])
  assert.deepEqual((await client.conversation.message.list(id)).items.map((m) => m.text), ['Hello', 'Good day', 'It rains'])
  await client.conversation.message.update(id, message, { text: 'The sun shines', meta: { sure: true } })
  const changed = await client.conversation.message.fetch(id, message)
  assert.deepEqual([changed.type, changed.text, changed.meta.sure], ['context', 'The sun shines', true])
  await client.conversation.message.delete(id, message)
  await assert.rejects(client.conversation.message.fetch(id, message), { code: 'NOT_FOUND' })

  const exported = (await get('/conversation/export?take=1')).items[0]
  assert.deepEqual([exported.id, exported.messages.length], [id, 2])
  assert.match(await (await call('GET', '/conversation/export', undefined, { accept: 'text/csv' })).text(), /Trial/)
  await client.conversation.delete(id)
  await assert.rejects(client.conversation.fetch(id), { code: 'NOT_FOUND' })
})

test('a bot answers: in two steps, in one, streamed, and of what is not stored', async () => {
  const bot = await client.bot.create({ name: 'Ada', model: 'simulated-1' })
  const { id } = await client.conversation.create({ botId: bot.id })
  assert.ok((await client.conversation.send(id, { text: 'One' })).id)
  assert.equal((await client.conversation.receive(id, {})).text, 'You said: One')
  const two = await client.conversation.complete(id, { text: 'Two' })
  assert.deepEqual([two.text, two.end.reason], ['You said: Two', 'stop'])
  assert.ok(two.usage.token > 0)

  const lines = await collect(client.conversation.complete(id, { text: 'Drei 🤖' }).stream())
  const tokens = lines.filter((l) => l.type === 'token')
  assert.ok(tokens.length > 1, 'the answer comes word by word')
  assert.equal(tokens.map((l) => l.data.token).join(''), 'You said: Drei 🤖')
  const result = lines.at(-1)
  assert.deepEqual([result.type, result.data.text], ['result', 'You said: Drei 🤖'])
  assert.equal((await client.conversation.message.fetch(id, result.data.id)).text, 'You said: Drei 🤖')
  assert.equal((await client.conversation.message.list(id)).items.filter((m) => m.type === 'bot').length, 3)
  for (const stream of [client.conversation.send(id, { text: 'Four' }).stream(), client.conversation.receive(id, {}).stream()]) {
    assert.equal((await collect(stream)).at(-1).type, 'result')
  }

  const before = (await client.conversation.list()).items.length
  const question = { model: 'simulated-1', backstory: 'You are kind.', messages: [{ type: 'user', text: 'And now?' }] }
  assert.equal((await client.conversation.complete(null, question)).text, 'You said: And now?')
  assert.equal((await collect(client.conversation.complete(null, question).stream())).at(-1).data.text, 'You said: And now?')
  assert.equal((await client.conversation.list()).items.length, before)
})
