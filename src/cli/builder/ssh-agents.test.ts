import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import type { SshAgent } from './ssh/agent.ts'
import { serveAgent } from './ssh/serve-agent.ts'
import { sshAgents } from './ssh-agents.ts'

const skip = spawnSync('ssh-keygen', ['-?']).error === undefined ? false : 'openssh-client is not installed'

function temporary(): Disposable & { path: string } {
  return mkdtempDisposableSync(join(tmpdir(), 'ssh-agents-'))
}

/** Gives the path of the private key; the public one is beside it. */
function makeKey(directory: string, name: string, ...options: string[]): string {
  const path = join(directory, name)
  execFileSync('ssh-keygen', ['-q', '-C', `me with ${name}`, '-f', path, ...(options.includes('-N') ? [] : ['-N', '']), ...options])
  return path
}

/** The agent on a socket, as a build has it. */
async function listen(agent: SshAgent, path: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    pipeline(serveAgent(agent, socket as AsyncIterable<Buffer>), socket).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

/** Not in the way of the agent, which answers in this process. */
async function run(socket: string, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, SSH_AUTH_SOCK: socket } })
  return stdout
}

/** OpenSSH signs a file through the agent, and believes the signature. */
async function signsWith(socket: string, key: string, directory: string): Promise<void> {
  const file = join(directory, 'text')
  writeFileSync(file, 'text\n')
  await run(socket, 'ssh-keygen', '-q', '-Y', 'sign', '-n', 'file', '-f', `${key}.pub`, file)
  const signers = join(directory, 'signers')
  writeFileSync(signers, `me ${readFileSync(`${key}.pub`, 'utf8')}`)
  const verify = ['-Y', 'verify', '-n', 'file', '-f', signers, '-I', 'me', '-s', `${file}.sig`]
  execFileSync('ssh-keygen', verify, { input: 'text\n' })
  execFileSync('rm', [`${file}.sig`])
}

describe('sshAgents', { skip }, () => {
  it('answers OpenSSH with keys of all kinds, which then need no agent', async () => {
    using directory = temporary()
    const kinds = [['ed25519'], ['rsa', '1024'], ['ecdsa', '256'], ['ecdsa', '384'], ['ecdsa', '521']]
    const keys = kinds.map(([type = '', bits]) =>
      makeKey(directory.path, `${type}${bits ?? ''}`, '-t', type, ...(bits === undefined ? [] : ['-b', bits])),
    )
    const agent = sshAgents([`id=${keys.join(',')}`], {}).get('id')
    assert.ok(agent)
    const socket = join(directory.path, 'socket')
    await using _server = await listen(agent, socket)
    const expected = keys.map((key) => execFileSync('ssh-keygen', ['-l', '-f', `${key}.pub`], { encoding: 'utf8' }))
    assert.equal(await run(socket, 'ssh-add', '-l'), expected.join(''))
    for (const key of keys) await signsWith(socket, key, directory.path)
  })

  it('reads PEM', async () => {
    using directory = temporary()
    const keys = [
      makeKey(directory.path, 'rsa', '-t', 'rsa', '-b', '1024', '-m', 'PEM'),
      makeKey(directory.path, 'pkcs8', '-t', 'rsa', '-b', '1024', '-m', 'PKCS8'),
      makeKey(directory.path, 'ecdsa', '-t', 'ecdsa', '-m', 'PEM'),
    ]
    const agent = sshAgents([`default=${keys.join(',')}`], {}).get('default')
    assert.ok(agent)
    const socket = join(directory.path, 'socket')
    await using _server = await listen(agent, socket)
    for (const key of keys) await signsWith(socket, key, directory.path)
  })

  it('reads a key from a pipe', () => {
    using directory = temporary()
    const key = makeKey(directory.path, 'key', '-t', 'ed25519')
    const pipe = join(directory.path, 'pipe')
    execFileSync('mkfifo', [pipe])
    const writer = spawn('cp', [key, pipe], { stdio: 'ignore' })
    try {
      assert.ok(sshAgents([`x=${pipe}`], {}).has('x'))
    } finally {
      writer.kill()
    }
  })

  it('passes on what the agent behind a socket says, and keeps builds from changing it', async () => {
    using directory = temporary()
    const key = makeKey(directory.path, 'key', '-t', 'ed25519')
    const own = sshAgents([`x=${key}`], {}).get('x')
    assert.ok(own)
    const socket = join(directory.path, 'own')
    await using _own = await listen(own, socket)
    const agent = sshAgents(['default'], { SSH_AUTH_SOCK: socket }).get('default')
    assert.ok(agent)
    const passed = join(directory.path, 'passed')
    await using _passed = await listen(agent, passed)
    assert.match(await run(passed, 'ssh-add', '-l'), /me with key \(ED25519\)/)
    await signsWith(passed, key, directory.path)
    await assert.rejects(run(passed, 'ssh-add', '-D'), /Failed to remove all identities/)
    await assert.rejects(run(passed, 'ssh-add', key), /Could not add identity/)
  })

  it('refuses keys that are encrypted, and what is no key', () => {
    using directory = temporary()
    const text = join(directory.path, 'text')
    writeFileSync(text, 'text')
    const cut = join(directory.path, 'cut')
    const key = readFileSync(makeKey(directory.path, 'key', '-t', 'ed25519'), 'utf8').split('\n')
    writeFileSync(cut, [...key.slice(0, 3), ...key.slice(5)].join('\n'))
    const isEncrypted = 'this private key is passphrase protected: add it to an agent'
    const cases: [path: string, reason: string][] = [
      [makeKey(directory.path, 'new', '-t', 'ed25519', '-N', 'secret'), isEncrypted],
      [makeKey(directory.path, 'pem', '-t', 'ecdsa', '-m', 'PEM', '-N', 'secret'), isEncrypted],
      [makeKey(directory.path, 'pkcs8', '-t', 'ecdsa', '-m', 'PKCS8', '-N', 'secret'), isEncrypted],
      [text, 'no key found'],
      [cut, 'the key is cut off'],
      ['/dev/zero', 'no key found'],
    ]
    for (const [path, reason] of cases) assert.throws(() => sshAgents([`x=${path}`], {}), { message: `failed to parse ${path}: ${reason}` })
  })

  it('refuses what contradicts itself', async () => {
    using directory = temporary()
    const key = makeKey(directory.path, 'key', '-t', 'ed25519')
    const socket = join(directory.path, 'socket')
    const agent = sshAgents([`x=${key}`], {}).get('x')
    assert.ok(agent)
    await using _server = await listen(agent, socket)
    const cases: [values: string[], message: string][] = [
      [['default'], 'invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set'],
      [[`a=${key}`, `a=${key}`], 'duplicate agent ID "a"'],
      [[`a=${socket},${key}`], 'invalid combination of keys and sockets'],
      [[`a=${socket},${socket}`], 'only single socket allowed'],
      [['a=/nowhere'], 'failed to stat /nowhere: no such file or directory'],
    ]
    for (const [values, message] of cases) assert.throws(() => sshAgents(values, {}), { message })
  })
})
