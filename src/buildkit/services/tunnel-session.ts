import { invalidArgument } from '#errors'
import { metadataOf, type control, type HandlerContext } from '#grpc'
import { messageDuplex, type BytesMessage } from '../session/message-stream.ts'
import { Outbox } from '../session/outbox.ts'
import type { Sessions } from '../sessions.ts'

/** A session inside of a call: a connection on which the client is the server, in messages. */
export function tunnelSession(
  sessions: Sessions,
  messages: AsyncIterable<control.BytesMessage>,
  call: HandlerContext,
): AsyncIterable<BytesMessage> {
  const metadata = metadataOf(call)
  const id = metadata.get('x-docker-expose-session-uuid')?.[0] ?? ''
  if (id === '') throw invalidArgument('no session id')
  const outgoing = new Outbox<BytesMessage>()
  const sharedKey = metadata.get('x-docker-expose-session-sharedkey')?.[0] ?? ''
  const session = sessions.open(() => messageDuplex(outgoing, messages), { id, sharedKey })
  call.signal.addEventListener('abort', () => session.close(), { once: true })
  return outgoing
}
