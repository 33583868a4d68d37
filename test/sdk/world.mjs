// What all tests share: the built server on a fresh data directory, a simulated
// model and a simulated Meta, and clients that differ from anybody else's in
// the base URL alone.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChatBotKit } from '@chatbotkit/sdk'
import { startMeta } from './meta.mjs'
import { close, listen, startModel } from './model.mjs'

const program = process.env.PARLEY ?? new URL('../../bin/parley', import.meta.url).pathname
export const secret = 'sk-sdk-secret-of-acme'
const otherSecret = 'sk-sdk-secret-of-globex'

// called are the operations that were answered with success, as
// "POST /bot/{}/update": every request passes here on its way.
export const called = new Set()
const nativeFetch = globalThis.fetch
globalThis.fetch = async (url, init) => {
  const response = await nativeFetch(url, init)
  if (response.ok) called.add(`${init?.method ?? 'GET'} ${new URL(url).pathname}`)
  return response
}

const model = await startModel()
export const meta = await startMeta()
const data = await mkdtemp(join(tmpdir(), 'parley-sdk-'))
const port = await freePort()
export const base = `http://127.0.0.1:${port}`

const server = spawn(program, ['serve', '--listen', `127.0.0.1:${port}`, '--data', data], {
  env: {
    PATH: process.env.PATH, PARLEY_TOKENS: `acme:${secret},globex:${otherSecret}`, PARLEY_GRAPH_URL: meta.url, PARLEY_GATHER: '0',
    PARLEY_MODEL: 'simulated-1', OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'none', PARLEY_LOG_LEVEL: 'warn',
  },
  stdio: ['ignore', 'inherit', 'inherit'],
})
await eventually('the server is ready', async () => (await nativeFetch(`${base}/readyz`).catch(() => ({}))).ok)

export const client = new ChatBotKit({ secret, baseUrl: base })
export const stranger = new ChatBotKit({ secret: otherSecret, baseUrl: base })
export const nobody = new ChatBotKit({ secret: 'sk-wrong', baseUrl: base })

// stop ends everything that was started.
export async function stop() {
  const ended = new Promise((done) => server.once('exit', done))
  server.kill('SIGTERM')
  await ended
  await Promise.all([model.close(), meta.close()])
  await rm(data, { recursive: true })
}

// call calls what the SDK has no method for.
export async function call(method, path, body, headers = {}) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method, headers: { authorization: `Bearer ${secret}`, ...(body && { 'content-type': 'application/json' }), ...headers }, body: body && JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

export const post = async (path, body = {}) => (await call('POST', path, body)).json()
export const get = async (path) => (await call('GET', path)).json()

// collect reads a stream to its end.
export async function collect(stream) {
  const all = []
  for await (const item of stream) all.push(item)
  return all
}

// eventually waits until something is so, for ten seconds at most.
export async function eventually(what, isSo) {
  for (let i = 0; i < 200; i++) {
    const value = await isSo()
    if (value) return value
    await sleep(50)
  }
  throw new Error(`it never came about that ${what}`)
}

async function freePort() {
  const server = createServer()
  await listen(server)
  const { port } = server.address()
  await close(server)
  return port
}
