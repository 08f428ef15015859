import { Duplex } from 'node:stream'
import { FrameReader } from '#lib'

/** A program's standard input and output as a connection. */
export interface ProgramConnection {
  readonly duplex: Duplex
  /** Whether the program has closed its output: the connection did not end from this side. */
  readonly isEnded: () => boolean
}

const STDERR = 2

/**
 * `stream`: a program's as `Task.startAttached` gives it, with all three of its streams. It belongs to the connection. What the program writes to its standard error
 * goes to `log`, at the pace at which the connection is read.
 */
export function programConnection(stream: Duplex, log: (data: Buffer) => void): ProgramConnection {
  let ended = false
  const duplex = new Duplex({
    read: () => void stream.resume(),
    write: (chunk: Buffer, _encoding, done) => void stream.write(chunk, (error) => done(error ?? null)),
    final: (done) => void stream.end(() => done()),
    destroy(error, done) {
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
    ended = true
    duplex.push(null)
  })
  stream.on('error', (error) => duplex.destroy(error))
  stream.once('close', () => duplex.destroy())
  return { duplex, isEnded: () => ended }
}
