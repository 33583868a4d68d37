// Contacts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, client, get, post } from '../world.mjs'

test('a contact is made once, however often', async () => {
  const person = { fingerprint: 'a-fingerprint-of-grace', name: 'Grace', email: 'grace@example.com', phone: '+15551230003' }
  const { id } = await client.contact.create(person)
  const contact = await client.contact.fetch(id)
  assert.deepEqual([contact.name, contact.email, contact.phone, contact.verifiedAt], ['Grace', 'grace@example.com', '+15551230003', null])
  assert.equal((await client.contact.ensure({ fingerprint: person.fingerprint })).id, id)
  const ensured = await Promise.all(Array.from({ length: 8 }, () => client.contact.ensure({ email: 'many@example.com' })))
  assert.equal(new Set(ensured.map((c) => c.id)).size, 1)

  await client.contact.update(id, { nick: 'G', meta: { vip: true } })
  assert.deepEqual((({ nick, meta }) => ({ nick, meta }))(await client.contact.fetch(id)), { nick: 'G', meta: { vip: true } })
  assert.ok((await client.contact.list()).items.some((c) => c.id === id))
  assert.ok((await get('/contact/export')).items.some((c) => c.id === id))
  assert.match(await (await call('GET', '/contact/export', undefined, { accept: 'text/csv' })).text(), /"Grace"/)

  const { id: conversation } = await client.conversation.create({})
  const linked = await post(`/conversation/${conversation}/contact/upsert`, person)
  assert.equal((await post(`/conversation/${conversation}/contact/upsert`, person)).id, linked.id)
  assert.equal((await client.conversation.fetch(conversation)).contactId, id)
  assert.deepEqual((await client.contact.conversation.list(id)).items.map((c) => c.id), [conversation])

  await client.contact.delete(id)
  await assert.rejects(client.contact.fetch(id), { code: 'NOT_FOUND' })
  assert.equal((await client.conversation.fetch(conversation)).contactId, null)
})
