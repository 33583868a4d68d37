// Lists: pages by cursors, filters, and streams to the end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { client, collect } from '../world.mjs'

test('a list is paged to its end, and rows that come or go do not disturb', async () => {
  const made = []
  for (let i = 0; i < 25; i++) made.push((await client.bot.create({ name: `Café 🤖 ${i}`, meta: { of: 'pages', odd: i % 2 === 1 } })).id)
  const seen = []
  for (let cursor; ;) {
    const page = await client.bot.list({ cursor, take: 7, order: 'asc', meta: { of: 'pages' } })
    assert.equal(typeof page.cursor, 'string')
    if (page.items.length === 0) {
      assert.equal(page.cursor, '')
      break
    }
    seen.push(...page.items.map((b) => b.id))
    cursor = page.cursor
    if (seen.length === 7) await client.bot.delete(seen[6]) // the cursor's own row
  }
  assert.deepEqual(seen, made)
  assert.equal((await client.bot.list({ meta: { of: 'pages', odd: true } })).items.length, 12)
  assert.deepEqual(await client.bot.list({ meta: { of: 'nothing' } }), { items: [], cursor: '' })
})

test('a stream gives every item, whole', async () => {
  const all = await collect(client.bot.list({ order: 'asc', meta: { of: 'pages' } }).stream())
  assert.equal(all.length, 24)
  assert.ok(all.every((line) => line.type === 'item'))
  assert.equal(all[0].data.name, 'Café 🤖 0')
  assert.equal((await collect(client.bot.list({ take: 10, meta: { of: 'pages' } }).stream())).length, 10)
  for (const list of [client.integration.whatsapp, client.conversation, client.contact, client.file, client.blueprint]) {
    const page = await list.list({ order: 'asc' })
    const streamed = await collect(list.list({ order: 'asc' }).stream())
    assert.deepEqual(streamed.map((line) => line.data), page.items)
  }
})
