// Appending and reading, on a log that is served alone.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { clients, collect } from '../clients.mjs'
import { alone, eventually } from '../world.mjs'

for (const c of clients) {
  const client = c.connect(alone)
  after(() => client.dispose())
  const stream = `order-${randomUUID()}`
  const event = (n) => c.jsonEvent({ type: 'Ordered', data: { n }, metadata: { $correlationId: 'journey', $causationId: 'step' } })

  test(`${c.name}: appends go where they are expected`, async () => {
    const first = await eventually('the log is there', () => client.appendToStream(stream, [event(0), event(1)], c.expecting('no_stream')).catch(() => false))
    assert.deepEqual([first.success, first.nextExpectedRevision], [true, 1n])
    assert.equal((await client.appendToStream(stream, event(2), c.expecting(1n))).nextExpectedRevision, 2n)
    assert.equal((await client.appendToStream(stream, event(3), c.expecting('stream_exists'))).nextExpectedRevision, 3n)
    assert.equal((await client.appendToStream(stream, c.binaryEvent({ type: 'Packed', data: new Uint8Array([1, 2]), metadata: { by: 'eve' } }))).nextExpectedRevision, 4n)
  })

  test(`${c.name}: an append that is expected elsewhere learns where the stream is`, async () => {
    for (const [to, expected, actual] of [
      [stream, 'no_stream', 4n], [stream, 2n, 4n], [stream, 9n, 4n], [`${stream}x`, 3n, 'no_stream'], [`${stream}x`, 'stream_exists', 'no_stream'],
    ]) {
      await assert.rejects(client.appendToStream(to, event(9), c.expecting(expected)), (e) => {
        assert.ok(e instanceof c.WrongExpectedVersionError, e)
        assert.deepEqual([e.streamName, ...c.told(e)], [to, expected, actual])
        return true
      })
    }
    assert.equal((await collect(client.readStream(stream))).length, 5)
  })

  test(`${c.name}: an append that is repeated is stored once`, async () => {
    const once = [event(5), event(6)]
    const first = await client.appendToStream(`${stream}r`, once, c.expecting('no_stream'))
    await client.appendToStream(`${stream}r`, event(7))
    assert.deepEqual(await client.appendToStream(`${stream}r`, once, c.expecting('no_stream')), first)
    assert.equal((await collect(client.readStream(`${stream}r`))).length, 3)
  })

  test(`${c.name}: many appends at a time are stored all`, async () => {
    const done = await Promise.all(Array.from({ length: 200 }, (_, n) => client.appendToStream(`${stream}m`, event(n))))
    assert.deepEqual(done.map((d) => d.nextExpectedRevision).sort((a, b) => Number(a - b)), Array.from({ length: 200 }, (_, n) => BigInt(n)))
  })

  test(`${c.name}: an append over the bound is refused as such`, async () => {
    const large = c.binaryEvent({ type: 'Packed', data: new Uint8Array(2 << 20) })
    await assert.rejects(client.appendToStream(stream, large), (e) => e instanceof c.MaxAppendSizeExceededError && e.maxAppendSize === (1 << 20) - 4096)
  })

  test(`${c.name}: streams are read both ways`, async () => {
    const forwards = await collect(client.readStream(stream))
    assert.deepEqual(forwards.map((e) => [e.revision, e.type]), [[0n, 'Ordered'], [1n, 'Ordered'], [2n, 'Ordered'], [3n, 'Ordered'], [4n, 'Packed']])
    assert.deepEqual([forwards[0].data, forwards[0].metadata], [{ n: 0 }, { $correlationId: 'journey', $causationId: 'step' }])
    assert.deepEqual([Buffer.from(forwards[4].data), forwards[4].metadata], [Buffer.from([1, 2]), { by: 'eve' }])
    assert.ok(Math.abs(forwards[0].created - Date.now()) < 60_000, forwards[0].created)
    const backwards = await collect(client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 2 }))
    assert.deepEqual(backwards.map((e) => e.revision), [4n, 3n])
    assert.deepEqual((await collect(client.readStream(stream, { fromRevision: 3n }))).map((e) => e.revision), [3n, 4n])
    await assert.rejects(collect(client.readStream(`${stream}x`)), c.StreamNotFoundError)
  })

  test(`${c.name}: the whole log is read both ways`, async () => {
    const all = await collect(client.readAll())
    const mine = all.filter((e) => e.streamId === stream)
    assert.deepEqual(mine.map((e) => e.revision), [0n, 1n, 2n, 3n, 4n])
    const { position } = mine[2]
    assert.equal((await collect(client.readAll({ fromPosition: position, maxCount: 1 })))[0].id, mine[2].id)
    const before = await collect(client.readAll({ fromPosition: position, direction: 'backwards' }))
    assert.deepEqual(before.map((e) => e.id), all.slice(0, all.findIndex((e) => e.id === mine[2].id)).reverse().map((e) => e.id))
  })
}

const [kurrent] = clients
test(`${kurrent.name}: the whole log is read by prefix, expression and type`, async () => {
  const client = kurrent.connect(alone)
  after(() => client.dispose())
  await client.appendToStream('invoice-1', kurrent.jsonEvent({ type: 'Billed', data: {} }))
  const { streamNameFilter, eventTypeFilter } = kurrent
  for (const [filter, wanted] of [
    [streamNameFilter({ prefixes: ['invoice-'] }), (e) => e.streamId.startsWith('invoice-')],
    [streamNameFilter({ regex: '^[a-i]' }), (e) => /^[a-i]/.test(e.streamId)],
    [eventTypeFilter({ prefixes: ['Bill', 'Pack'] }), (e) => /^(Bill|Pack)/.test(e.type)],
    [eventTypeFilter({ regex: 'ed$' }), (e) => e.type.endsWith('ed')],
  ]) {
    const got = await collect(client.readAll({ filter }))
    const all = (await collect(client.readAll())).filter(wanted)
    assert.ok(isDeepStrictEqual(got.map((e) => e.id), all.map((e) => e.id)), `${JSON.stringify(filter)}: ${got.length} of ${all.length}`)
    assert.ok(got.length > 0)
  }
})
