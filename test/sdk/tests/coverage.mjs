// Every operation that the server describes was called with success.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base, called } from '../world.mjs'

test('every operation was called', async () => {
  const description = await (await fetch(`${base}/openapi.json`)).json()
  const missed = []
  for (const [path, methods] of Object.entries(description.paths)) {
    const pattern = new RegExp(`/api/v1(${[path, ...Object.values(methods).flatMap((o) => o['x-also'] ?? [])].join('|')})$`.replaceAll(/\{\w+\}/g, '[^/]+'))
    for (const method of Object.keys(methods)) {
      if (!['get', 'post', 'put'].includes(method)) continue
      if (![...called].some((c) => c.startsWith(method.toUpperCase()) && pattern.test(c))) missed.push(`${method.toUpperCase()} ${path}`)
    }
  }
  assert.deepEqual(missed, [])
})
