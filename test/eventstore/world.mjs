// What all tests share: the built program as a log alone, and as a server with
// conversations whose log others may use, too, with TLS and passwords.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { accessToken, appSecret, notify, number, startMeta } from '../sdk/meta.mjs'
import { close, listen, startModel } from '../sdk/model.mjs'

const program = process.env.PARLEY ?? new URL('../../bin/parley', import.meta.url).pathname
const secret = 'sk-eventstore-secret-of-acme'
export const secrets = [secret, accessToken, appSecret]

const model = await startModel()
export const meta = await startMeta()
const data = await mkdtemp(join(tmpdir(), 'parley-eventstore-'))
const running = []

// tls says whether there is a certificate: openssl makes it.
export const tls = certify()

// alone is the address of a log that has neither TLS nor a password.
const alonePort = await freePort()
export const alone = `esdb://127.0.0.1:${alonePort}?tls=false`
start('log', 'serve', '--data', join(data, 'alone'), '--log-listen', `127.0.0.1:${alonePort}`)

const [port, logPort] = [await freePort(), await freePort()]
export const base = `http://127.0.0.1:${port}`
start('serve', '--data', join(data, 'server'), '--listen', `127.0.0.1:${port}`, '--log-listen', `127.0.0.1:${logPort}`,
  ...(tls ? ['--log-user', 'ada:hunter2', '--log-reader', 'eve:r3ad', '--log-tls-cert', join(data, 'cert.pem'), '--log-tls-key', join(data, 'key.pem')] : []))

// served is the address of the server's log, as a user or with another scheme.
export function served(user = 'ada:hunter2', scheme = 'esdb') {
  return tls ? `${scheme}://${user}@localhost:${logPort}?tls=true&tlsCAFile=${join(data, 'ca.pem')}` : `${scheme}://127.0.0.1:${logPort}?tls=false`
}

await eventually('the server is ready', async () => (await fetch(`${base}/readyz`).catch(() => ({}))).ok)

export const bot = (await post('/bot/create', { name: 'Ada', model: 'simulated-1' })).id
export const integration = (await post('/integration/whatsapp/create', { name: 'Live', botId: bot, phoneNumberId: number, accessToken, appSecret })).id

// say lets somebody write, and waits for the answer.
export async function say(from, text) {
  const before = meta.textsTo(from).length
  const response = await notify(`${base}/api/v1/integration/whatsapp/${integration}/callback`, from, { type: 'text', text: { body: text } })
  if (!response.ok) throw new Error(`the webhook is answered with ${response.status}`)
  await eventually('the bot answers', () => meta.textsTo(from).length > before)
}

// stop ends everything that was started.
export async function stop() {
  await Promise.all(running.map((child) => new Promise((done) => { child.once('exit', done); child.kill('SIGTERM') })))
  await Promise.all([model.close(), meta.close()])
  await rm(data, { recursive: true })
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

async function post(path, body) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

function start(...args) {
  running.push(spawn(program, args, {
    env: {
      PATH: process.env.PATH, PARLEY_TOKENS: `acme:${secret}`, PARLEY_GRAPH_URL: meta.url, PARLEY_GATHER: '0',
      PARLEY_MODEL: 'simulated-1', OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'none', PARLEY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  }))
}

// certify makes an authority and a certificate of its for this machine.
function certify() {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: data, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  try {
    openssl('version')
  } catch {
    return false
  }
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority of a test')
  openssl('req', '-x509', ...key, '-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE')
  return true
}

async function freePort() {
  const server = createServer()
  await listen(server)
  const { port } = server.address()
  await close(server)
  return port
}
