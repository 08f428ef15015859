import { readFileSync, statSync } from 'node:fs'
import type { SshAgent } from './ssh/agent.ts'
import { keyAgent } from './ssh/key-agent.ts'
import { parsePrivateKey } from './ssh/private-key.ts'
import { signingKey, type SigningKey } from './ssh/signing-key.ts'
import { socketAgent } from './ssh/socket-agent.ts'

/** Bytes of a key file; what is longer is none. */
const MAX_KEY = 100 * 1024

/**
 * SSH agents by id, of `--ssh default`, `--ssh id=/path/to/agent.sock` and `--ssh id=/path/to/key,/path/to/other-key`: a socket, or keys that are read now. Throws
 * Error with buildx's texts.
 */
export function sshAgents(values: readonly string[], env: Readonly<Record<string, string | undefined>>): Map<string, SshAgent> {
  const agents = new Map<string, SshAgent>()
  for (const text of values) {
    const equals = text.indexOf('=')
    const id = (equals < 0 ? text : text.slice(0, equals)) || 'default'
    const given = equals < 0 ? '' : text.slice(equals + 1)
    const places = given === '' ? (env['SSH_AUTH_SOCK'] ?? '') : given
    if (places === '') throw new Error('invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set')
    if (agents.has(id)) throw new Error(`duplicate agent ID ${JSON.stringify(id)}`)
    agents.set(id, agentOf(given === '' ? [places] : places.split(',')))
  }
  return agents
}

function agentOf(paths: readonly string[]): SshAgent {
  const sockets: string[] = []
  const keys: { key: SigningKey; comment: string }[] = []
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) throw new Error(`failed to stat ${path}: no such file or directory`)
    if (found.isSocket()) sockets.push(path)
    else keys.push(readKey(path, found.size))
  }
  const [socket, ...others] = sockets
  if (others.length > 0) throw new Error('only single socket allowed')
  if (socket === undefined) return keyAgent(keys)
  if (keys.length > 0) throw new Error('invalid combination of keys and sockets')
  return socketAgent(socket)
}

function readKey(path: string, size: number): { key: SigningKey; comment: string } {
  try {
    if (size > MAX_KEY) throw new Error('no key found')
    const { key, comment } = parsePrivateKey(readFileSync(path, 'utf8'))
    return { key: signingKey(key), comment }
  } catch (error) {
    throw new Error(`failed to parse ${path}: ${(error as Error).message}`, { cause: error })
  }
}
