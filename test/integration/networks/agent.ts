/**
 * A process that stands for a host or a container: it lives in a network namespace of its own and listens or connects when told to over IPC.
 * Servers answer every client with the client's address and what it sent.
 */
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

export interface AgentRequest {
  id: number
  do: 'listen' | 'ask'
  /** Milliseconds after which a question has no answer. */
  patience?: number
  protocol: 'tcp' | 'udp'
  host?: string
  port: number
  /** Source port of a UDP question. */
  from?: number
}

/** A datagram may be lost while neighbours look each other up; clients ask again. */
const ASK_AGAIN = 250

function listen({ protocol, host = '0.0.0.0', port }: AgentRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    if (protocol === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      socket.on('message', (message, from) => socket.send(`${from.address} ${message.toString()}`, from.port, from.address))
      socket.once('error', reject)
      socket.bind(port, host, () => resolve('listening'))
      return
    }
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (data) => socket.end(`${socket.remoteAddress} ${data.toString()}`))
    })
    server.once('error', reject)
    server.listen(port, host, () => resolve('listening'))
  })
}

function ask({ protocol, host = '', port, from, patience }: AgentRequest): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish('no answer'), patience)
    let close: () => void = () => {}
    function finish(answer: string): void {
      clearTimeout(timer)
      close()
      resolve(answer)
    }
    if (protocol === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      const again = setInterval(() => socket.send('hello', port, host), ASK_AGAIN)
      close = () => {
        clearInterval(again)
        socket.close()
      }
      socket.once('message', (message) => finish(message.toString()))
      socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
      socket.bind(from ?? 0, () => socket.send('hello', port, host))
      return
    }
    const socket = connect(port, host)
    close = () => socket.destroy()
    socket.once('connect', () => socket.write('hello'))
    socket.once('data', (data) => finish(data.toString()))
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
  })
}

process.on('message', (request: AgentRequest) => {
  void (request.do === 'listen' ? listen(request) : ask(request)).then(
    (answer) => process.send?.({ id: request.id, answer }),
    (error: Error) => process.send?.({ id: request.id, answer: error.message }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ id: 0, answer: 'ready' })
