import { request } from 'node:http'

/** `docker save`, by the API: all bytes. */
export function saveImage(socket: string, name: string): Promise<Buffer> {
  return new Promise((done, fail) => {
    const call = request({ socketPath: socket, path: `/images/${name}/get` }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        if (response.statusCode === 200) done(body)
        else fail(new Error(`saving ${name}: ${response.statusCode} ${body.toString()}`))
      })
    })
    call.on('error', fail)
    call.end()
  })
}
