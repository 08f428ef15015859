import assert from 'node:assert/strict'
import { lstatSync, mkdtempDisposableSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { notFound } from '#errors'
import type { GitSource } from '../../graph/types.ts'
import type { BuildSession } from '../../session.ts'
import { fakeSession } from '../testing/fake-step.ts'
import { openAccess, splitLogin } from './git-access.ts'
import type { GitAccess } from './git-access.ts'

const SOURCE: GitSource = {
  kind: 'git',
  remote: 'https://h:8443/x.git',
  ref: '',
  subdirectory: '',
  keepGitDirectory: false,
  skipSubmodules: false,
  authTokenSecret: 'TOKEN',
  authHeaderSecret: 'HEADER',
}

function withSecrets(values: Record<string, string>): Partial<BuildSession> {
  return { secret: async (id) => (values[id] === undefined ? undefined : Buffer.from(values[id])) }
}

async function open(directory: string, source: Partial<GitSource>, session: Partial<BuildSession> = {}): Promise<GitAccess> {
  return await openAccess({ ...SOURCE, ...source }, fakeSession(session), directory)
}

describe('splitLogin', () => {
  it('takes the login out of web addresses only', () => {
    assert.deepEqual(splitLogin('https://me:p%40ss@h/x.git'), { remote: 'https://h/x.git', login: `basic ${btoa('me:p@ss')}` })
    assert.deepEqual(splitLogin('https://token@h/x.git'), { remote: 'https://h/x.git', login: `basic ${btoa('token:')}` })
    for (const remote of ['https://h/x.git', 'ssh://git@h/x', 'git@h:x', 'git://h/x']) assert.deepEqual(splitLogin(remote), { remote })
    assert.throws(() => splitLogin('https://me:p%zz@h/x.git'), { code: 'INVALID_ARGUMENT', message: /^invalid URL escape in the user/ })
  })
})

describe('openAccess', () => {
  it('gives git the header of the first secret there is, for this remote only', async () => {
    const token = `basic ${btoa('x-access-token:t')}`
    const cases: [secrets: Record<string, string>, header: string | undefined][] = [
      [{}, undefined],
      [{ TOKEN: 't' }, token],
      [{ TOKEN: 't\n', HEADER: 'h' }, 'h'],
      [{ 'TOKEN.h:8443': 't', HEADER: 'h' }, token],
      [{ 'HEADER.h:8443': 'own', 'TOKEN.h:8443': 't' }, 'own'],
    ]
    for (const [secrets, header] of cases) {
      await using access = await open('/nowhere', {}, withSecrets(secrets))
      const expected = header === undefined ? [] : [[`http.${SOURCE.remote}.extraheader`, `Authorization: ${header}`]]
      assert.deepEqual(access.options.config, expected)
    }
    await using github = await open('/nowhere', { remote: 'https://github.com/a/b.git' }, withSecrets({ TOKEN: 't' }))
    assert.equal(github.options.config[0]?.[0], 'http.https://github.com/.extraheader')
    await using own = await open('/nowhere', { remote: 'https://me:pw@h/x.git' })
    assert.deepEqual([own.remote, own.options.config[0]?.[1]], ['https://h/x.git', `Authorization: basic ${btoa('me:pw')}`])
  })

  it('gives submodules of a web remote no key of this host', async () => {
    await using access = await open('/nowhere', {})
    assert.deepEqual(Object.keys(access.options.environment), ['GIT_SSH_COMMAND'])
    assert.match(
      access.options.environment['GIT_SSH_COMMAND'] ?? '',
      /^'ssh' '-F' '\/dev\/null' '-o' 'BatchMode=yes' '-o' 'IdentityFile=none'/,
    )
  })

  it("uses the client's agent and known hosts for ssh, and no key of this host", async () => {
    // A path that no socket could have.
    using temporary = mkdtempDisposableSync(join(tmpdir(), `it's-${'x'.repeat(100)}-`))
    const asked: string[] = []
    const session: Partial<BuildSession> = {
      checkAgent: async (id) => void asked.push(`check ${id}`),
      forwardAgent: async (id) => {
        asked.push(`forward ${id}`)
        const agent = new PassThrough()
        agent.end('agent')
        return agent
      },
    }
    {
      await using access = await open(temporary.path, { remote: 'git@h:x', ssh: 'default', knownHosts: 'h ssh-ed25519 AAAA' }, session)
      const { SSH_AUTH_SOCK: socket = '', GIT_SSH_COMMAND: command = '' } = access.options.environment
      assert.equal(lstatSync(socket).mode & 0o777, 0o600)
      assert.equal(await text(connect(socket)), 'agent')
      assert.deepEqual(asked, ['check default', 'forward default'])
      assert.match(command, /^'ssh' '-F' '\/dev\/null' '-o' 'BatchMode=yes' '-o' 'IdentityFile=none'/)
      const file = /UserKnownHostsFile="([^"]*)"/.exec(command)?.[1]?.replaceAll(`'\\''`, "'") ?? ''
      assert.equal(readFileSync(file, 'utf8'), 'h ssh-ed25519 AAAA\n')
    }
    assert.deepEqual(readdirSync(temporary.path), [])
  })

  it('leaves nothing when the client has no such agent', async () => {
    using temporary = mkdtempDisposableSync(join(tmpdir(), 'access-'))
    const session: Partial<BuildSession> = {
      checkAgent: async () => {
        throw notFound('unknown service or method')
      },
    }
    await assert.rejects(open(temporary.path, { remote: 'git@h:x', ssh: 'default' }, session), {
      code: 'NOT_FOUND',
      message: 'no SSH key "default" forwarded from the client',
    })
    assert.deepEqual(readdirSync(temporary.path), [])
  })
})
