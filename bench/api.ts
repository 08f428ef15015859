import { createReadStream } from 'node:fs'
import { Agent, request } from 'node:http'
import { createConnection, type Socket } from 'node:net'

/** A small client of the Docker Engine API on a unix socket, with kept connections; the same for every peer. */
export class Api {
  readonly #socket: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })

  constructor(socket: string) {
    this.#socket = socket
  }

  /** One request; throws on a status over 399. Returns the parsed body, or the text where it is not JSON. */
  call(method: string, path: string, body?: unknown): Promise<any> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((done, fail) => {
      const call = request(
        {
          socketPath: this.#socket,
          agent: this.#agent,
          method,
          path,
          headers: payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('error', fail)
          response.on('end', () => {
            if ((response.statusCode ?? 0) > 399) fail(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
            else if (text === '') done(undefined)
            else done(text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text)
          })
        },
      )
      call.on('error', fail)
      call.end(payload)
    })
  }

  /** Reads a response to its end and gives the bytes that came. */
  drain(method: string, path: string): Promise<number> {
    return new Promise((done, fail) => {
      const call = request({ socketPath: this.#socket, method, path }, (response) => {
        let bytes = 0
        response.on('data', (chunk: Buffer) => (bytes += chunk.length))
        response.on('end', () => done(bytes))
        response.on('error', fail)
      })
      call.on('error', fail)
      call.end()
    })
  }

  /** Reads a response as text, whatever its status says; an empty `X-Registry-Auth` goes along, which some engines want. */
  text(method: string, path: string): Promise<string> {
    return this.#send(method, path, {}, undefined)
  }

  /** Sends a file as a tar archive. */
  upload(path: string, file: string, method: 'POST' | 'PUT' = 'POST'): Promise<string> {
    return this.#send(method, path, { 'Content-Type': 'application/x-tar' }, file)
  }

  #send(method: string, path: string, headers: Record<string, string>, file: string | undefined): Promise<string> {
    return new Promise((done, fail) => {
      const call = request({ socketPath: this.#socket, method, path, headers: { 'X-Registry-Auth': 'e30=', ...headers } }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('error', fail)
        response.on('end', () => ((response.statusCode ?? 0) > 399 ? fail(new Error(`${method} ${path}: ${text}`)) : done(text)))
      })
      call.on('error', fail)
      if (file === undefined) call.end()
      else
        createReadStream(file, { highWaterMark: 1 << 20 })
          .on('error', fail)
          .pipe(call)
    })
  }

  /** A hijacked connection (attach, exec start): resolves after the response's headers. */
  hijack(path: string, body?: unknown): Promise<{ socket: Socket; bytes: Promise<number> }> {
    const payload = body === undefined ? '' : JSON.stringify(body)
    return new Promise((done, fail) => {
      const socket = createConnection(this.#socket)
      socket.on('error', fail)
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${payload.length}\r\n\r\n${payload}`,
      )
      let head = ''
      let count = 0
      let open = false
      let finish: (bytes: number) => void
      const bytes = new Promise<number>((resolve) => (finish = resolve))
      socket.on('data', (chunk) => {
        if (open) {
          count += chunk.length
          return
        }
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        open = true
        count = head.length - end - 4
        done({ socket, bytes })
      })
      socket.on('end', () => finish(count))
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
