/** HTTP/2 as both sides of a connection set it up. */

import type { Http2Session, SessionOptions } from 'node:http2'

/** Longest message either way, bytes: BuildKit's own limit. */
export const MAX_MESSAGE: number = 16 * 1024 * 1024

/**
 * Bytes that may be on their way in one call and in all of a connection. HTTP/2's 64 KiB would have the sender of a file wait for an answer after each 64 KiB.
 */
const STREAM_WINDOW = 4 * 1024 * 1024
const CONNECTION_WINDOW = 32 * 1024 * 1024

export const SESSION_OPTIONS: SessionOptions = {
  settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
  // Megabytes. Node's 10 are fewer than the windows let in, and it answers by refusing new calls.
  maxSessionMemory: 512,
  // A request for a directory names each path that is wanted in a header of its own.
  maxHeaderListPairs: 65_536,
  maxSendHeaderBlockLength: 8 * 1024 * 1024,
}

export function raiseWindow(session: Http2Session): void {
  // The peer may have gone before it was greeted.
  if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW)
}
