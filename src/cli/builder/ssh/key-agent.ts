import {
  SSH_AGENT_FAILURE,
  SSH_AGENT_IDENTITIES_ANSWER,
  SSH_AGENT_SIGN_RESPONSE,
  SSH_AGENTC_REQUEST_IDENTITIES,
  SSH_AGENTC_SIGN_REQUEST,
  type SshAgent,
} from './agent.ts'
import type { SigningKey } from './signing-key.ts'
import { string, uint32, WireReader } from './wire.ts'

/** An agent inside of this program, with keys from files. */
export function keyAgent(keys: readonly { key: SigningKey; comment: string }[]): SshAgent {
  function answer(message: Buffer): Buffer {
    const request = new WireReader(message)
    const [type] = request.bytes(1)
    if (type === SSH_AGENTC_REQUEST_IDENTITIES) {
      const entries = keys.flatMap(({ key, comment }) => [string(key.blob), string(comment)])
      return Buffer.concat([Buffer.of(SSH_AGENT_IDENTITIES_ANSWER), uint32(keys.length), ...entries])
    }
    if (type !== SSH_AGENTC_SIGN_REQUEST) return Buffer.of(SSH_AGENT_FAILURE)
    const [blob, data, flags] = [request.string(), request.string(), request.uint32()]
    const known = keys.find(({ key }) => key.blob.equals(blob))
    if (known === undefined) return Buffer.of(SSH_AGENT_FAILURE)
    return Buffer.concat([Buffer.of(SSH_AGENT_SIGN_RESPONSE), string(known.key.sign(data, flags))])
  }

  return async () => ({
    async ask(message) {
      try {
        return answer(message)
      } catch {
        // A message that ends too early, or a key that cannot sign: agents say no more than this.
        return Buffer.of(SSH_AGENT_FAILURE)
      }
    },
    [Symbol.dispose]() {},
  })
}
