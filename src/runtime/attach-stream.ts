import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { notFound } from '#errors'
import { connect } from './connect.ts'
import { encodeMessage } from './message-channel.ts'
import { ATTACH } from './protocol.ts'
import type { AttachOptions } from './types.ts'

/** The `attached` message: a bare header. */
const ANSWER_SIZE = 8

/** An attach that is on its way: what is sent to the monitor from now on arrives after it. */
export interface AttachRequest extends Disposable {
  /** Resolves when the monitor has registered it. Throws NOT_FOUND when it ends instead. */
  registered(): Promise<Duplex>
}

/** Connects to a monitor as one who watches and types. Throws NOT_FOUND when there is no monitor. Disposing breaks the connection off. */
export async function requestAttach(path: string, options: AttachOptions): Promise<AttachRequest> {
  const streams = (options.stdin ? ATTACH.stdin : 0) | (options.stdout ? ATTACH.stdout : 0) | (options.stderr ? ATTACH.stderr : 0)
  let socket: Socket
  try {
    socket = await connect(path)
  } catch (error) {
    throw notFound('the process has ended', error)
  }
  // After the last output there is nobody to type to: without this the half-open socket would stay. Listened for from the beginning, as the answer and the
  // end of a program that says nothing may come in one packet.
  socket.once('end', () => socket.end())
  socket.write(encodeMessage('attach', { streams }))
  const answer = answered(socket)
  answer.catch(() => {}) // Whoever does not ask for it does not want to hear of its failure.
  return {
    async registered() {
      await answer
      return socket
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** Takes exactly the answer from the stream: output may follow in the same packet and belongs to the caller. */
function answered(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    function stop(): void {
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      socket.off('error', onClose)
    }
    function onReadable(): void {
      if (socket.read(ANSWER_SIZE) === null) return
      stop()
      resolve()
    }
    function onClose(): void {
      stop()
      socket.destroy()
      reject(notFound('the process has ended'))
    }
    socket.on('readable', onReadable)
    socket.on('close', onClose)
    socket.on('error', onClose)
  })
}
