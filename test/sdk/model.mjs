// A simulated model: an OpenAI-compatible server that repeats what it was told
// last, word by word.
import { createServer } from 'node:http'

export async function startModel() {
  const server = createServer(async (request, response) => {
    if (request.url.endsWith('/models')) {
      return json(response, { object: 'list', data: [{ id: 'simulated-1', object: 'model', created: 1700000000, owned_by: 'nobody' }] })
    }
    const asked = JSON.parse(await read(request))
    const told = asked.messages.filter((m) => m.role === 'user').at(-1)
    const said = `You said: ${textOf(told?.content)}`
    const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
    if (!asked.stream) {
      return json(response, { id: 'x', object: 'chat.completion', model: asked.model, usage, choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: said } }] })
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const chunk = (fields) => response.write(`data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: asked.model, ...fields })}\n\n`)
    for (const word of said.match(/\S+\s*/g)) {
      chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: word }, finish_reason: null }] })
    }
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    chunk({ choices: [], usage })
    response.end('data: [DONE]\n\n')
  })
  await listen(server)
  return { url: address(server), close: () => close(server) }
}

// textOf is the text of a message's content, which may come in parts.
function textOf(content) {
  return Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : content
}

export function json(response, value, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

export async function read(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

export const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', done))
export const address = (server) => `http://127.0.0.1:${server.address().port}`
export const close = (server) => new Promise((done) => { server.closeAllConnections(); server.close(done) })
