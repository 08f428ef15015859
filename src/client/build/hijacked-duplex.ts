import { Duplex } from 'node:stream'
import type { HijackedStream } from '../connection.ts'

/** A hijacked stream as Node knows streams, for libraries that want one. */
export function hijackedDuplex(stream: HijackedStream): Duplex {
  let ready = Promise.withResolvers<void>()
  const duplex = new Duplex({
    read: () => ready.resolve(),
    write(chunk: Buffer, _encoding, callback) {
      stream.write(chunk).then(() => callback(), callback)
    },
    // HTTP/2 writes several pieces for each frame, and frames while the last one is on its way: they go out together.
    writev(chunks: { chunk: Buffer }[], callback) {
      stream.write(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => callback(), callback)
    },
    final(callback) {
      stream.closeWrite()
      callback()
    },
    destroy(error, callback) {
      stream.close()
      callback(error)
    },
  })
  stream.body
    .pipe(async (chunk) => {
      // The chunk is reused when we return, and the reader may be slow.
      if (duplex.push(Buffer.from(chunk))) return
      ready = Promise.withResolvers()
      await ready.promise
    })
    .then(
      () => duplex.push(null),
      (error: unknown) => duplex.destroy(error as Error),
    )
  return duplex
}
