import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { DetachScanner } from './detach-keys.ts'

export interface PumpOptions {
  /** Forward what the client sends; otherwise it is read and dropped, so that its end is noticed. */
  stdin: boolean
  /** Watched for in what the client types; undefined: nothing is. */
  detachKeys: Buffer | undefined
  /**
   * What the end of the client's sending means: `close` ends the process's stdin, `leave` ends the attach, `ignore` leaves the output running.
   */
  onStdinEnd: 'close' | 'leave' | 'ignore'
  onDetach: () => void
  /** Awaited between the last output and the end of the client's connection, so that the client finds the result when it asks for it. */
  beforeEnd?: () => Promise<void>
}

/**
 * Moves bytes between a client's connection and a monitor's stream until the output has ended, the client detached, or either side broke.
 * Backpressure holds in both directions; output goes through node's own pipe, which copies nothing. Both sides are ended afterwards.
 */
export async function pump(client: Duplex, stream: Duplex, options: PumpOptions): Promise<void> {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  stream.pipe(client, { end: false })
  const scanner = options.detachKeys === undefined ? undefined : new DetachScanner(options.detachKeys)
  client.on('data', (chunk: Buffer) => {
    if (!options.stdin) return
    const { data, detached } = scanner?.scan(chunk) ?? { data: chunk, detached: false }
    if (data.length > 0 && !stream.write(data)) {
      client.pause()
      stream.once('drain', () => client.resume())
    }
    if (!detached) return
    options.onDetach()
    leave()
  })
  const onClientEnd = (): void => {
    if (!options.stdin || options.onStdinEnd === 'ignore') return
    if (options.onStdinEnd === 'close') stream.end()
    else leave()
  }
  // A client with nothing to send may have ended before the container started, and Node says so only once.
  if (client.readableEnded) onClientEnd()
  else client.once('end', onClientEnd)
  // Errors are ends: a client that vanished, a monitor that ended. Without listeners they would end the daemon.
  const gone = Promise.race([
    finished(client, { readable: false }).catch(() => undefined),
    finished(stream, { writable: false }).catch(() => undefined),
    left,
  ])
  client.on('error', () => undefined)
  stream.on('error', () => undefined)
  await gone
  stream.unpipe(client)
  client.removeAllListeners('data')
  stream.destroy()
  if (!client.destroyed) await options.beforeEnd?.()
  if (!client.writableEnded) client.end()
}
