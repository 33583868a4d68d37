// The log of a server that has conversations.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { clients, collect, hear } from '../clients.mjs'
import { bot, eventually, integration, say, secrets, served } from '../world.mjs'

const person = '15551230001'
const stream = `conversation-${integration}.${person}`
const noted = 'NoteOfAnAuditor'

test('somebody writes, and is answered', () => say(person, 'Grüße 🤖'))

test('the program of docs/log.md tells what happened', async () => {
  const program = new URL('../audit.mjs', import.meta.url).pathname
  const lines = await eventually('the answer is sent', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env: { ...process.env, PARLEY_LOG: served('eve:r3ad', 'kurrentdb') } })
    return stdout.includes('PartSent') && stdout.trim().split('\n').map((line) => line.split(' '))
  })
  assert.deepEqual(lines.slice(0, 4).map((l) => l.slice(1, 6).join(' ')), [
    ...['SessionStarted', 'MessageReceived', 'TurnStarted', 'TurnAnswered'].map((type, n) => `${stream} ${n} ${type} acme ${bot}`),
  ])
  const answered = lines.find((l) => l[3] === 'TurnAnswered')
  const received = lines.find((l) => l[3] === 'MessageReceived')
  assert.deepEqual([answered[6], lines.find((l) => l[3] === 'PartSent')[6]], [received[6], received[6]])
})

for (const c of clients) {
  const client = c.connect(served())
  after(() => client.dispose())
  const journey = (es) => es.filter((e) => e.streamId === stream)

  test(`${c.name}: a conversation is read from its stream`, async () => {
    const es = await eventually('the answer is sent', async () => {
      const es = (await collect(client.readStream(stream))).filter((e) => e.type !== noted)
      return es.some((e) => e.type === 'PartSent') && es
    })
    assert.deepEqual(es.slice(0, 4).map((e) => e.type), ['SessionStarted', 'MessageReceived', 'TurnStarted', 'TurnAnswered'])
    for (const e of es) {
      assert.equal(e.isJson, false)
      assert.equal(typeof e.metadata.$correlationId, 'string', e.type)
      assert.equal(typeof e.metadata.$causationId, 'string', e.type)
      const { account, integration: of, sender, bot: by } = e.metadata
      assert.deepEqual([account, of, sender, by], ['acme', integration, person, bot])
    }
    const text = es.map((e) => Buffer.from(e.data).toString() + JSON.stringify(e.metadata)).join()
    for (const secret of secrets) assert.ok(!text.includes(secret))
  })

  test(`${c.name}: conversations are followed as they go on`, async () => {
    const filter = c.streamNameFilter({ prefixes: ['conversation-'] })
    const heard = await hear(client.subscribeToAll({ fromPosition: 'end', filter }), (es) => es.some((e) => e.type === 'PartSent'),
      () => say(person, `Again, ${c.name}`))
    assert.deepEqual(new Set(heard.map((e) => e.streamId)), new Set([stream]))
    assert.ok(heard.some((e) => e.type === 'MessageReceived' && Buffer.from(e.data).includes(`Again, ${c.name}`)))
  })

  test(`${c.name}: an append to a stream of the server's is as any other`, async () => {
    const es = journey(await collect(client.readAll()))
    const note = c.jsonEvent({ type: noted, data: { says: 'seen' }, metadata: { optional: true } })
    await assert.rejects(client.appendToStream(stream, note, c.expecting('no_stream')), c.WrongExpectedVersionError)
    const done = await client.appendToStream(stream, note, c.expecting(es.at(-1).revision))
    assert.equal(done.nextExpectedRevision, es.at(-1).revision + 1n)
    await say(person, 'Still there?') // what it does not know, and may pass over, does not disturb it
  })
}
