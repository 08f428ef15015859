import { SSH_AGENT_FAILURE, SSH_AGENTC_REQUEST_IDENTITIES, SSH_AGENTC_SIGN_REQUEST, type SshAgent } from './agent.ts'
import { framed, messagesOf } from './message-frames.ts'

/** Attack: a Dockerfile's step that locks the user's agent, takes keys out of it or puts its own in. Source: moby/buildkit session/sshforward/sshprovider. */
const ALLOWED: ReadonlySet<number | undefined> = new Set([SSH_AGENTC_REQUEST_IDENTITIES, SSH_AGENTC_SIGN_REQUEST])

/** Bytes from a build to an agent, and back. All that it may do is to list keys and to have things signed. */
export async function* serveAgent(agent: SshAgent, incoming: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  using connection = await agent()
  for await (const message of messagesOf(incoming)) {
    yield framed(ALLOWED.has(message[0]) ? await connection.ask(message) : Buffer.of(SSH_AGENT_FAILURE))
  }
}
