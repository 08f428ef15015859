import { Duplex } from 'node:stream'
import { FrameReader } from '#lib'

/** A program's standard input and output as a connection. */
export interface ProgramConnection {
  readonly duplex: Duplex
  /** Whether it was the program that ended it, and not this side. */
  readonly isEnded: () => boolean
}

const STDERR = 2

/**
 * `stream`: a program's as `Task.startAttached` gives it, with all three of its streams. It belongs to the connection. What the program writes to its error output goes
 * to `log`, at the pace at which the connection is read. Nothing is written before the program has: HTTP/2 begins with the client, and a write to a program that
 * fails at once would tear its last words.
 */
export function programConnection(stream: Duplex, log: (data: Buffer) => void): ProgramConnection {
  const heard = Promise.withResolvers<void>()
  let endedBy: 'program' | 'us' | undefined
  const duplex = new Duplex({
    read: () => void stream.resume(),
    write(chunk: Buffer, _encoding, done) {
      // Whether a program that ends has read it nobody knows. That it ends is read.
      void heard.promise.then(() => (endedBy === undefined ? stream.write(chunk, () => done()) : done()))
    },
    final(done) {
      stream.end()
      done()
    },
    destroy(error, done) {
      endedBy ??= 'us'
      stream.destroy()
      done(error)
    },
  })
  const endWithProgram = (): void => {
    // The last that it wrote may still have to be read.
    if (stream.readableEnded) return
    endedBy ??= 'program'
    duplex.destroy()
  }
  const frames = new FrameReader((source, data) => {
    if (source === STDERR) return log(data)
    heard.resolve()
    if (!duplex.push(data)) stream.pause()
  })
  stream.on('data', (chunk: Buffer) => frames.write(chunk))
  stream.once('end', () => {
    endedBy ??= 'program'
    heard.resolve()
    duplex.push(null)
  })
  stream.on('error', endWithProgram)
  stream.once('close', endWithProgram)
  return { duplex, isEnded: () => endedBy === 'program' }
}
