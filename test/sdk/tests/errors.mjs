// What goes wrong reaches the caller as an error with a code, and at once: what
// is answered with 5xx or 429 would be repeated.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatBotKit } from '@chatbotkit/sdk'
import { base, client, nobody, secret, stranger } from '../world.mjs'

const within = async (ms, work) => {
  const began = Date.now()
  await work()
  assert.ok(Date.now() - began < ms, `it took ${Date.now() - began} ms`)
}

test('errors are FetchErrors with codes', async () => {
  const { id } = await client.bot.create({ name: 'Mine', alias: 'mine' })
  await within(1000, () => assert.rejects(client.bot.fetch('none'), { name: 'FetchError', code: 'NOT_FOUND' }))
  await within(1000, () => assert.rejects(client.bot.create({ surprise: 1 }), { name: 'FetchError', code: 'BAD_REQUEST', message: '"surprise" is not allowed' }))
  await within(1000, () => assert.rejects(client.bot.create({ alias: 'mine' }), { code: 'CONFLICT' }))
  await within(1000, () => assert.rejects(client.bot.create({ name: 'x'.repeat(4_600_000) }), { code: 'CONTENT_TOO_LARGE' }))
  await assert.rejects(nobody.bot.list(), { code: 'NOT_AUTHENTICATED' })
  await assert.rejects(nobody.bot.create({}), { code: 'NOT_AUTHENTICATED' })
  await assert.rejects(new ChatBotKit({ secret, baseUrl: base, runAsUserId: 'someone' }).bot.list(), { code: 'NOT_AUTHENTICATED' })
  const zoned = new ChatBotKit({ secret, baseUrl: base, timezone: 'Europe/London' })
  assert.equal((await zoned.bot.fetch(id)).id, id)
})

test('what belongs to another account is not there', async () => {
  const { id } = await client.bot.create({ name: 'Mine' })
  const errors = await Promise.all([stranger.bot.fetch(id), stranger.bot.fetch('none'), stranger.bot.delete(id), stranger.bot.update(id, { name: 'Yours' })]
    .map((refused) => Promise.resolve(refused).then(() => assert.fail('it was answered'), ({ code, message }) => `${code} ${message}`)))
  assert.equal(new Set(errors).size, 1, errors.join('; '))
  assert.equal((await client.bot.fetch(id)).name, 'Mine')
  assert.deepEqual(await stranger.bot.list(), { items: [], cursor: '' })
})
