// What streams are told about themselves, and how they end.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { clients, collect, hear } from '../clients.mjs'
import { alone } from '../world.mjs'

for (const c of clients) {
  const client = c.connect(alone)
  after(() => client.dispose())
  const event = () => c.jsonEvent({ type: 'Ordered', data: {} })
  const fresh = async () => {
    const stream = `removed-${randomUUID()}`
    await client.appendToStream(stream, [event(), event(), event()])
    return stream
  }
  const revisions = async (stream) => (await collect(client.readStream(stream))).map((e) => e.revision)
  const wrong = (stream, expected, actual) => (e) => {
    assert.ok(e instanceof c.WrongExpectedVersionError, e)
    assert.deepEqual([e.streamName, ...c.told(e)], [stream, expected, actual])
    return true
  }

  test(`${c.name}: a stream's metadata are kept and obeyed`, async () => {
    const stream = await fresh()
    assert.equal((await client.getStreamMetadata(stream)).metadata, undefined)
    await client.setStreamMetadata(stream, { maxCount: 2, owner: 'ada' })
    assert.deepEqual((await client.getStreamMetadata(stream)).metadata, { maxCount: 2, owner: 'ada' })
    assert.deepEqual(await revisions(stream), [1n, 2n])
    await client.setStreamMetadata(stream, { truncateBefore: 2 })
    assert.deepEqual(await revisions(stream), [2n])
  })

  test(`${c.name}: a stream that is deleted may begin again`, async () => {
    const stream = await fresh()
    await assert.rejects(client.deleteStream(stream, { expectedRevision: 1n }), wrong(stream, 1n, 2n))
    await client.deleteStream(stream, { expectedRevision: 2n })
    await assert.rejects(revisions(stream), c.StreamNotFoundError)
    await client.appendToStream(stream, event(), c.expecting('no_stream'))
    assert.deepEqual(await revisions(stream), [3n])
  })

  test(`${c.name}: a stream that is deleted for good never does`, async () => {
    const stream = await fresh()
    await assert.rejects(client.tombstoneStream(stream, { expectedRevision: 1n }), wrong(stream, 1n, 2n))
    await client.tombstoneStream(stream)
    for (const attempt of [
      () => revisions(stream), () => client.appendToStream(stream, event()), () => hear(client.subscribeToStream(stream), () => true), () => client.deleteStream(stream),
    ]) {
      await assert.rejects(attempt, (e) => e instanceof c.StreamDeletedError && e.streamName === stream)
    }
  })
}
