/** What must be seen to when HTTP/2 takes over a socket that somebody else has used. */

import type { Duplex } from 'node:stream'

/**
 * A peer that has ended its side is gone: HTTP/2 knows no half-closed connections. Sockets of the API server do, and would stay open for ever. Errors are
 * the connection's end, no more.
 */
export function endWithPeer(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.once('end', () => socket.end(() => socket.destroy()))
}

/**
 * Resolves when everything written so far is with the kernel, or the socket is closed. HTTP/2 works on the handle below the socket: a write of before that ends
 * after it has taken over (the 101 of an upgrade, with TLS) brings Node down by an assertion.
 */
export async function written(socket: Duplex): Promise<void> {
  if (socket.writableLength === 0 || socket.destroyed) return
  await new Promise<void>((resolve) => {
    socket.once('close', resolve)
    socket.write('', () => {
      socket.off('close', resolve)
      // Not inside of the write's own end.
      setImmediate(resolve)
    })
  })
}
