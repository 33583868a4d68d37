// Who may use a log that asks for a password.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clients, collect, hear } from '../clients.mjs'
import { served, tls } from '../world.mjs'

const skip = !tls && 'there is no openssl here, and so no certificate'

for (const c of clients) {
  const use = (url) => {
    const client = c.connect(url)
    after(() => client.dispose())
    return client
  }
  const event = () => c.jsonEvent({ type: 'Noted', data: {} })
  const discovered = (user) => served(user, 'esdb+discover')

  for (const url of [served(), discovered()]) {
    test(`${c.name}: who knows the password reads and writes, at ${url.split(':')[0]}`, { skip }, async () => {
      const client = use(url)
      await client.appendToStream('note-1', event())
      assert.ok((await collect(client.readStream('note-1'))).length > 0)
    })
  }

  test(`${c.name}: a member is found among several`, { skip }, async () => {
    const host = served().match(/@([^?]+)/)[1]
    assert.ok((await collect(use(served().replace(host, `${host},${host}`)).readAll({ maxCount: 3 }))).length > 0)
  })

  test(`${c.name}: who does not is told so`, { skip }, async () => {
    const client = use(served('ada:hunter3'))
    const denied = (e) => e instanceof c.AccessDeniedError || /unauthenticated/i.test(`${e.type} ${e.message}`) || assert.fail(e)
    await assert.rejects(client.appendToStream('note-1', event()), denied)
    await assert.rejects(collect(client.readAll({ maxCount: 1 })), denied)
    await assert.rejects(hear(client.subscribeToAll(), () => true), denied)
  })

  test(`${c.name}: the reader reads, and only that`, { skip }, async () => {
    const client = use(served('eve:r3ad'))
    assert.ok((await collect(client.readAll({ maxCount: 3 }))).length > 0)
    assert.equal((await hear(client.subscribeToAll(), (es) => es.length === 1)).length, 1)
    for (const attempt of [
      () => client.appendToStream('note-1', event()), () => client.setStreamMetadata('note-1', {}), () => client.deleteStream('note-1'), () => client.tombstoneStream('note-1'),
    ]) {
      await assert.rejects(attempt, c.AccessDeniedError)
    }
  })

  test(`${c.name}: a certificate of another authority is not trusted`, { skip }, async () => {
    const client = use(served().replace(/&tlsCAFile=.*/, ''))
    await assert.rejects(client.appendToStream('note-1', event(), { deadline: 3000 }))
  })
}
