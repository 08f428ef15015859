import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { dropRest, requestBody } from './request-body.ts'

describe('requestBody', () => {
  it('can be left in the middle, and the client that is still sending hears why', async () => {
    const server = createServer(async (request, response) => {
      const body = requestBody(request)
      await once(body, 'readable')
      body.destroy(new Error('the disk is full'))
      await once(body, 'error')
      response.writeHead(500).end('no space left on device')
      dropRest(request)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    // As Go's and docker's clients. To one that asks for `Connection: close` node closes at once.
    const agent = new Agent({ keepAlive: true })
    const call = httpRequest({ agent, port: (server.address() as AddressInfo).port, method: 'POST' })
    for (let index = 0; index < 300; index++) call.write(Buffer.alloc(64 * 1024))
    const finished = once(call, 'finish')
    call.end()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    assert.deepEqual([answer.statusCode, text], [500, 'no space left on device'])
    await finished
    agent.destroy()
    server.close()
    await once(server, 'close')
  })
})
