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
 * to `log`, at the pace at which the connection is read.
 */
export function programConnection(stream: Duplex, log: (data: Buffer) => void): ProgramConnection {
  let endedBy: 'program' | 'us' | undefined
  const duplex = new Duplex({
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, done) => void stream.write(chunk, (error) => done(error ?? null)),
    final: (done) => void stream.end(() => done()),
    destroy(error, done) {
      endedBy ??= 'us'
      stream.destroy()
      done(error)
    },
  })
  const frames = new FrameReader((source, data) => {
    if (source === STDERR) log(data)
    else if (!duplex.push(data)) stream.pause()
  })
  stream.on('data', (chunk: Buffer) => frames.write(chunk))
  stream.once('end', () => {
    endedBy ??= 'program'
    duplex.push(null)
  })
  // Whoever writes to a program that has just ended hears of it before its end is read.
  stream.on('error', (error) => {
    endedBy ??= 'program'
    duplex.destroy(error)
  })
  stream.once('close', () => {
    if (stream.readableEnded) return // The last that it wrote may still have to be read.
    endedBy ??= 'program'
    duplex.destroy()
  })
  return { duplex, isEnded: () => endedBy === 'program' }
}
