import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { SshAgent } from './ssh/agent.ts'
import { keyAgent } from './ssh/key-agent.ts'
import { parsePrivateKey } from './ssh/private-key.ts'
import { signingKey, type SigningKey } from './ssh/signing-key.ts'
import { socketAgent } from './ssh/socket-agent.ts'

/** Bytes of a key file; what comes behind is not read. */
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
    else keys.push(readKey(path))
  }
  const [socket, ...others] = sockets
  if (others.length > 0) throw new Error('only single socket allowed')
  if (socket === undefined) return keyAgent(keys)
  if (keys.length > 0) throw new Error('invalid combination of keys and sockets')
  return socketAgent(socket)
}

function readKey(path: string): { key: SigningKey; comment: string } {
  try {
    const { key, comment } = parsePrivateKey(readStart(path).toString())
    return { key: signingKey(key), comment }
  } catch (error) {
    throw new Error(`failed to parse ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Its length may not be known, or without end: a pipe (`<(pass ssh/key)`), a device. */
function readStart(path: string): Buffer {
  const bytes = Buffer.alloc(MAX_KEY)
  const fd = openSync(path, 'r')
  try {
    let length = 0
    for (;;) {
      const count = readSync(fd, bytes, length, MAX_KEY - length, null)
      length += count
      if (count === 0 || length === MAX_KEY) return bytes.subarray(0, length)
    }
  } finally {
    closeSync(fd)
  }
}
