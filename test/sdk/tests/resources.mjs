// Bots, blueprints and integrations: made, read, changed, linked and deleted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { client, get, post } from '../world.mjs'

test('a bot is made, read, changed, copied and deleted', async () => {
  const { id } = await client.bot.create({ name: 'Ada', backstory: 'You are kind.', model: 'simulated-1', alias: 'ada', meta: { a: 1, b: { c: 1 } } })
  const bot = await client.bot.fetch(id)
  assert.deepEqual({ ...bot, createdAt: 0, updatedAt: 0 }, {
    id, alias: 'ada', name: 'Ada', description: '', backstory: 'You are kind.', model: 'simulated-1', datasetId: null, skillsetId: null,
    privacy: false, moderation: false, visibility: 'private', blueprintId: null, meta: { a: 1, b: { c: 1 } }, createdAt: 0, updatedAt: 0,
  })
  assert.ok(Number.isInteger(bot.createdAt) && bot.createdAt > 1.7e12)

  assert.equal((await client.bot.fetch('@ada')).id, id)
  await client.bot.update('@ada', { meta: { b: { d: 2 }, e: 3 } })
  const changed = await client.bot.fetch(id)
  assert.deepEqual(changed.meta, { a: 1, b: { d: 2 }, e: 3 })
  assert.equal(changed.alias, 'ada')
  assert.equal(changed.createdAt, bot.createdAt)

  const copy = await post(`/bot/${id}/clone`)
  assert.notEqual(copy.id, id)
  assert.deepEqual((({ alias, name, meta }) => ({ alias, name, meta }))(await client.bot.fetch(copy.id)), { alias: null, name: 'Ada', meta: changed.meta })

  for (const bot of [id, copy.id]) assert.equal((await client.bot.delete(bot)).id, bot)
  await assert.rejects(client.bot.fetch(id), { name: 'FetchError', code: 'NOT_FOUND' })
})

test('meta that is changed by many at once keeps all of it', async () => {
  const { id } = await client.bot.create({ name: 'Busy' })
  await Promise.all(Array.from({ length: 10 }, (_, i) => client.bot.update(id, { meta: { [`key${i}`]: i } })))
  assert.equal(Object.keys((await client.bot.fetch(id)).meta).length, 10)
})

test('a blueprint holds bots and integrations, and lets go of them', async () => {
  const { id } = await client.blueprint.create({ name: 'Shop', alias: 'shop', visibility: 'private' })
  const bot = await client.bot.create({ name: 'Of the shop', blueprintId: '@shop' })
  const whatsapp = await client.integration.whatsapp.create({ name: 'Of the shop', blueprintId: id, botId: bot.id })
  assert.equal((await client.bot.fetch(bot.id)).blueprintId, id)

  const { resources } = await client.blueprint.listResources(id)
  assert.deepEqual(resources.bot.map((r) => r.id), [bot.id])
  assert.deepEqual(resources.whatsappIntegration.map((r) => [r.id, r.botId]), [[whatsapp.id, bot.id]])
  assert.deepEqual((await client.integration.whatsapp.list({ blueprintId: '@shop' })).items.map((i) => i.id), [whatsapp.id])

  await client.blueprint.update(id, { description: 'Everything of the shop' })
  assert.equal((await client.blueprint.fetch('@shop')).description, 'Everything of the shop')
  assert.deepEqual((await client.blueprint.list()).items.map((b) => b.id), [id])
  await client.blueprint.delete(id)
  assert.equal((await client.bot.fetch(bot.id)).blueprintId, null)

  const other = await client.blueprint.create({ name: 'Short-lived' })
  await client.bot.update(bot.id, { blueprintId: other.id })
  await client.blueprint.delete(other.id, { deleteResources: true })
  await assert.rejects(client.bot.fetch(bot.id), { code: 'NOT_FOUND' })
  assert.equal((await client.integration.whatsapp.fetch(whatsapp.id)).botId, null)
})

test('credentials go in and are never shown', async () => {
  const { id } = await client.integration.whatsapp.create({ name: 'Sealed', phoneNumberId: '1234567890', accessToken: 'EAAG-of-mine', sessionDuration: 3600000 })
  const fetched = await client.integration.whatsapp.fetch(id)
  assert.equal(fetched.accessToken, '********')
  assert.match(fetched.verifyToken, /^[0-9a-f]{64}$/)
  assert.equal(fetched.allowFrom, '*')

  await client.integration.whatsapp.update(id, { name: 'Renamed', accessToken: fetched.accessToken, meta: { kept: true } })
  const { items } = await client.integration.whatsapp.list({ take: 1 })
  assert.deepEqual(items[0], await client.integration.whatsapp.fetch(id))
  assert.equal(items[0].accessToken, '********')
  assert.equal(items[0].verifyToken, fetched.verifyToken)

  await client.integration.whatsapp.setup(id)
  await client.integration.whatsapp.update(id, { accessToken: null })
  assert.equal((await client.integration.whatsapp.fetch(id)).accessToken, null)
  await assert.rejects(client.integration.whatsapp.setup(id), { code: 'CONFLICT', message: /access token/ })
  await client.integration.whatsapp.delete(id)
  await assert.rejects(client.integration.whatsapp.fetch(id), { code: 'NOT_FOUND' })
})

test('the models are listed, and the server describes itself', async () => {
  const { items } = await client.platform.model.list()
  assert.ok(items.some((m) => m.id === 'simulated-1' || m.name === 'simulated-1'), JSON.stringify(items))
  assert.ok((await get('/platform/model/list?take=1')).items.length === 1)
})
