/** A DNS server at 127.0.0.1 on a port of its own, which answers by a function; records what it was asked. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { decode, encode, type DecodedPacket, type Packet } from 'dns-packet'
import { createUnframer, frame } from '../tcp-framing.ts'

export interface FakeServer extends AsyncDisposable {
  port: number
  /** `udp web.example. A`, in order. */
  asked: string[]
}

/** What is missing in the answer is filled in from the question. Undefined: silence. A buffer goes out as it is. */
export type Respond = (query: DecodedPacket, protocol: 'udp' | 'tcp', bytes: Buffer) => Packet | Buffer | undefined

export async function startFakeServer(respond: Respond): Promise<FakeServer> {
  const asked: string[] = []
  function answer(bytes: Buffer, protocol: 'udp' | 'tcp'): Buffer | undefined {
    const query = decode(bytes)
    asked.push(`${protocol} ${query.questions?.[0]?.name} ${query.questions?.[0]?.type}`)
    const response = respond(query, protocol, bytes)
    if (response === undefined || Buffer.isBuffer(response)) return response
    return encode({ id: query.id, type: 'response', flags: 0x0180, questions: query.questions ?? [], ...response })
  }

  const tcp = createServer((socket) => {
    const unframe = createUnframer()
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      for (const message of unframe(chunk)) {
        const reply = answer(message, 'tcp')
        if (reply !== undefined) socket.write(frame(reply))
      }
    })
    socket.on('end', () => socket.end())
  })
  const udp = await listenOnOnePort(tcp)
  udp.on('message', (bytes, from) => {
    const reply = answer(bytes, 'udp')
    if (reply !== undefined) udp.send(reply, from.port, from.address)
  })

  return {
    port: udp.address().port,
    asked,
    async [Symbol.asyncDispose]() {
      udp.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

/** The number is free for one protocol, and perhaps not for the other. */
async function listenOnOnePort(tcp: Server): Promise<Socket> {
  for (;;) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const udp = createSocket('udp4').bind((tcp.address() as AddressInfo).port, '127.0.0.1')
    try {
      await once(udp, 'listening')
      return udp
    } catch {
      tcp.close()
      await once(tcp, 'close')
    }
  }
}
