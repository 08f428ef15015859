import { once } from 'node:events'
import { connect } from 'node:net'
import type { SshAgent } from './agent.ts'
import { framed, messagesOf } from './message-frames.ts'

/** The agent that listens on a socket; each conversation is a connection. */
export function socketAgent(path: string): SshAgent {
  return async () => {
    const socket = connect(path)
    await once(socket, 'connect')
    // One that leaves between two questions is noticed by the next.
    socket.on('error', () => undefined)
    const answers = messagesOf(socket as AsyncIterable<Buffer>)
    return {
      async ask(message) {
        socket.write(framed(message))
        const { done, value } = await answers.next()
        if (done === true) throw new Error('the SSH agent has ended the conversation')
        return value
      },
      [Symbol.dispose]: () => void socket.destroy(),
    }
  }
}
