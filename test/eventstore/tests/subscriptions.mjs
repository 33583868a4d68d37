// Following a stream and the whole log, on a log that is served alone.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { clients, collect, hear } from '../clients.mjs'
import { alone } from '../world.mjs'

for (const c of clients) {
  const client = c.connect(alone)
  after(() => client.dispose())
  const event = (type) => c.jsonEvent({ type, data: {} })

  test(`${c.name}: who follows a stream sees what is there and what comes`, async () => {
    const stream = `followed-${randomUUID()}`
    await client.appendToStream(stream, [event('A'), event('B')])
    const heard = await hear(client.subscribeToStream(stream), (es) => es.length === 4,
      () => client.appendToStream(stream, [event('C'), event('D')]))
    assert.deepEqual(heard.map((e) => [e.revision, e.type]), [[0n, 'A'], [1n, 'B'], [2n, 'C'], [3n, 'D']])
    const behind = await hear(client.subscribeToStream(stream, { fromRevision: 1n }), (es) => es.length === 2)
    assert.deepEqual(behind.map((e) => e.revision), [2n, 3n])
    const late = await hear(client.subscribeToStream(stream, { fromRevision: 'end' }), (es) => es.length === 1,
      () => client.appendToStream(stream, event('E')))
    assert.deepEqual(late.map((e) => e.type), ['E'])
  })

  test(`${c.name}: a stream may be followed before it begins`, async () => {
    const stream = `early-${randomUUID()}`
    const heard = await hear(client.subscribeToStream(stream), (es) => es.length === 1, () => client.appendToStream(stream, event('A')))
    assert.deepEqual(heard.map((e) => [e.streamId, e.revision]), [[stream, 0n]])
  })

  test(`${c.name}: who follows the whole log sees all of it, once and in order`, async () => {
    const stream = `watched-${randomUUID()}`
    const there = await collect(client.readAll())
    const heard = await hear(client.subscribeToAll(), (es) => es.at(-1).streamId === stream && es.at(-1).type === 'Last',
      () => client.appendToStream(stream, [event('First'), event('Last')]))
    assert.deepEqual(heard.map((e) => e.id).slice(0, there.length), there.map((e) => e.id))
    assert.deepEqual(heard.slice(-2).map((e) => e.type), ['First', 'Last'])
    const behind = await hear(client.subscribeToAll({ fromPosition: heard.at(-2).position }), (es) => es.length === 1)
    assert.equal(behind[0].id, heard.at(-1).id)
  })

  test(`${c.name}: who follows with a filter sees what it lets pass, and how far it is`, async () => {
    const stream = `filtered-${randomUUID()}`
    await client.appendToStream(stream, [event('Seen'), event('Unseen')])
    const at = []
    const heard = await hear(client.subscribeToAll({
      filter: c.streamNameFilter({ prefixes: [stream], checkpointInterval: 1, checkpointReached: (_, position) => at.push(position) }),
    }), (es) => es.length === 3, () => client.appendToStream(stream, event('Late')))
    assert.deepEqual(heard.map((e) => e.type), ['Seen', 'Unseen', 'Late'])
    assert.ok(at.length > 0 && at[0].commit > 0n, at)
    const typed = await hear(client.subscribeToAll({ filter: c.eventTypeFilter({ regex: '^Late$' }) }), (es) => es.length === 1)
    assert.equal(typed[0].type, 'Late')
  })
}
