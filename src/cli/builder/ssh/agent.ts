/** The protocol of SSH agents, as far as builds may use it. Source: draft-miller-ssh-agent. */

/** A client's conversation with an agent. Disposing ends it. */
export interface AgentConnection extends Disposable {
  /** Gives the answer to one message, both without their lengths. Called again only after it has answered. */
  ask(message: Buffer): Promise<Buffer>
}

/** Begins a conversation; throws Error when the agent cannot be reached. */
export type SshAgent = () => Promise<AgentConnection>

/** Numbers of messages: their first byte. */
export const SSH_AGENT_FAILURE = 5
export const SSH_AGENTC_REQUEST_IDENTITIES = 11
export const SSH_AGENT_IDENTITIES_ANSWER = 12
export const SSH_AGENTC_SIGN_REQUEST = 13
export const SSH_AGENT_SIGN_RESPONSE = 14

/** Bytes of a message; OpenSSH's limit. */
export const MAX_AGENT_MESSAGE: number = 256 * 1024
