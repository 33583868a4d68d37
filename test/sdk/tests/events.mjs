// The event log, live and read back, and what was used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessToken, appSecret, notify, number } from '../meta.mjs'
import { base, call, client, collect, get } from '../world.mjs'

test('events are listed, filtered, exported and followed', async () => {
  const bot = await client.bot.create({ name: 'Ada', model: 'simulated-1' })
  const { id } = await client.integration.whatsapp.create({ name: 'Watched', botId: bot.id, phoneNumberId: number, accessToken, appSecret })
  const callback = `${base}/api/v1/integration/whatsapp/${id}/callback`
  const leave = new AbortController()
  const live = client.event.log.subscribe({ historyLength: 1 }).stream({ abortSignal: leave.signal })
  const history = (await live.next()).value
  assert.equal(history.type, 'item')

  await notify(callback, '15551230009', { type: 'text', text: { body: 'Hello' } })
  for (let seen = []; !seen.includes('integration.whatsapp.message.sent');) {
    const { value, done } = await live.next()
    assert.ok(!done, 'the stream stays open')
    assert.equal(typeof value.data.createdAt, 'number')
    seen.push(value.data.type)
  }
  leave.abort()

  const { items } = await client.event.log.list({ whatsappIntegrationId: id, order: 'asc' })
  for (const type of ['callback.notification', 'message.received', 'message.sent']) {
    assert.ok(items.some((e) => e.type === `integration.whatsapp.${type}`), type)
  }
  const sent = await client.event.log.list({ whatsappIntegrationId: id, type: 'integration.whatsapp.message.sent' })
  assert.deepEqual(sent.items.map((e) => e.type), ['integration.whatsapp.message.sent'])
  const exported = await collect(client.event.log.export({ whatsappIntegrationId: id, order: 'asc' }).stream())
  assert.deepEqual(exported.slice(0, items.length).map((line) => line.data.id), items.map((e) => e.id))
  const csv = await (await call('GET', `/event/log/export?whatsappIntegrationId=${id}`, undefined, { accept: 'text/csv' })).text()
  assert.ok(csv.trim().split('\n').length > items.length)
})

test('what was used is counted', async () => {
  const usage = await client.usage.fetch()
  assert.ok(usage.messages > 0 && usage.conversations > 0 && usage.tokens > 0, JSON.stringify(usage))
  const series = await client.usage.series.fetch()
  assert.equal(series.messages.at(-1).total, usage.messages)
  assert.equal(series.messages.at(-1).date % 86400000, 0)
  const { items } = await get('/usage/list?take=5')
  assert.equal(items.length, 5)
  assert.ok(items.every((r) => ['message', 'conversation', 'token'].includes(r.type)))
})
