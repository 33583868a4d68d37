// Files and attachments, in the two steps of the SDK.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base, call, client, get } from '../world.mjs'

const text = 'Grüße\n'.repeat(1000)

test('a file is uploaded in two steps and read back by those who may', async () => {
  const { id } = await client.file.create({ name: 'Terms', alias: 'terms' })
  assert.deepEqual((await client.file.list()).items.map((f) => f.id), [id])
  assert.deepEqual(await client.file.upload(id, { data: text, type: 'text/plain', name: 'terms.txt' }), { id })
  const { url } = await (await call('GET', `/file/${id}/download`, undefined, { accept: 'application/json' })).json()
  assert.equal(await (await fetch(url)).text(), text)
  const { data, headers } = await (await client.file.download(id))
  assert.equal(Buffer.from(data).toString(), text)
  assert.match(headers.get('content-type'), /^text\/plain/)
  assert.equal((await client.file.fetch('@terms')).meta.contentType, 'text/plain')

  assert.equal((await fetch(`${base}/api/v1/file/${id}/download`)).status, 401)
  await client.file.update(id, { visibility: 'public' })
  assert.equal(await (await fetch(`${base}/api/v1/file/${id}/download`)).text(), text)
  await client.file.delete(id)
  await assert.rejects(client.file.fetch(id), { code: 'NOT_FOUND' })
})

test('an attachment goes the way that the SDK takes', async () => {
  const { id } = await client.conversation.create({})
  const uploaded = await client.conversation.attachment.upload(id, { data: text, type: 'text/plain', name: 'terms.txt' })
  const { items } = await get(`/conversation/${id}/attachment/list`)
  assert.deepEqual(items.map((a) => [a.id, a.name, a.type, a.size]), [[uploaded.id, 'terms.txt', 'text/plain', Buffer.byteLength(text)]])
  assert.equal(await (await call('GET', `/conversation/${id}/attachment/${uploaded.id}/download`)).text(), text)
  await call('POST', `/conversation/${id}/attachment/upload`, { file: 'data:text/plain;base64,SGk=' })
  assert.equal((await get(`/conversation/${id}/attachment/list`)).items.length, 2)
})
