import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PLAIN_EXEC } from '../../graph/plain-exec.ts'
import type { ExecOp, FileAction, GitSource } from '../../graph/types.ts'
import { COPY } from '../../testing/sample-operations.ts'
import { describeOp } from './describe-op.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }

/** What Go's JSON of BuildKit's structs looks like: members of other types would be errors there. */
describe('describeOp', () => {
  it('writes numbers for networks, rights and types of mounts', () => {
    const op: ExecOp = {
      ...PLAIN_EXEC,
      args: ['make'],
      env: ['A=b'],
      network: 'host',
      security: 'insecure',
      extraHosts: [{ host: 'h', address: '10.0.0.1' }],
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      mounts: [
        { type: 'bind', target: '/', input: 0, selector: '', readonly: false, output: 0, contentKey: false },
        { type: 'cache', target: '/c', id: 'c', sharing: 'locked', readonly: false, input: -1, selector: '', mode: 0o755, uid: 0, gid: 0 },
        { type: 'secret', target: '/s', id: 's', optional: true, mode: 0o400, uid: 1, gid: 0 },
        { type: 'tmpfs', target: '/t', size: 5 },
      ],
      platform: AMD64,
    }
    assert.deepEqual(describeOp(op, 1), {
      Op: {
        exec: {
          meta: {
            args: ['make'],
            env: ['A=b'],
            cwd: '/',
            extraHosts: [{ Host: 'h', IP: '10.0.0.1' }],
            ulimit: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
          },
          mounts: [
            { dest: '/' },
            { dest: '/c', mountType: 3, input: -1, output: -1, cacheOpt: { ID: 'c', sharing: 2 } },
            { dest: '/s', mountType: 1, input: -1, output: -1, secretOpt: { ID: 's', uid: 1, mode: 0o400, optional: true } },
            { dest: '/t', mountType: 4, input: -1, output: -1, TmpfsOpt: { size: 5 } },
          ],
          network: 1,
          security: 1,
        },
      },
      platform: { Architecture: 'amd64', OS: 'linux' },
    })
  })

  it('names an action by its member, and owners by number or name', () => {
    const actions: FileAction[] = [
      { ...COPY, input: 0, output: -1, from: 1, source: '/foo', owner: { user: 0, group: 'staff' }, mode: 0o644, excludePatterns: ['*.o'] },
      { action: 'mkfile', input: 2, output: 0, path: '/f', mode: 0o600, data: Buffer.from('hi'), timestamp: 1000 },
    ]
    const [copy, file] = (describeOp({ kind: 'file', actions }, 2) as { Op: { file: { actions: unknown[] } } }).Op.file.actions
    assert.deepEqual(copy, {
      input: 0,
      secondaryInput: 1,
      output: -1,
      Action: {
        copy: {
          src: '/foo',
          dest: '/',
          owner: { user: { User: {} }, group: { User: { byName: { name: 'staff' } } } },
          mode: 0o644,
          followSymlink: true,
          dirCopyContents: true,
          createDestPath: true,
          allowWildcard: true,
          allowEmptyWildcard: true,
          timestamp: -1,
          exclude_patterns: ['*.o'],
        },
      },
    })
    const made = { path: '/f', mode: 0o600, data: 'aGk=', timestamp: 1_000_000_000 }
    assert.deepEqual(file, { input: 2, secondaryInput: -1, output: 0, Action: { mkfile: made } })
  })

  it('gives sources as addresses with attributes, and no logins', () => {
    const git: GitSource = {
      kind: 'git',
      remote: 'https://me:secret@example.com/a.git',
      ref: 'main',
      subdirectory: 'docs',
      keepGitDirectory: true,
      skipSubmodules: false,
      authTokenSecret: 'GIT_AUTH_TOKEN',
      authHeaderSecret: '',
    }
    assert.deepEqual(describeOp(git, 0), {
      Op: {
        source: {
          identifier: 'git://example.com/a.git#main:docs',
          attrs: { 'git.fullurl': 'https://example.com/a.git', 'git.keepgitdir': 'true', 'git.authtokensecret': 'GIT_AUTH_TOKEN' },
        },
      },
    })
    assert.deepEqual(describeOp({ kind: 'image', reference: 'docker.io/library/a:1', platform: AMD64, resolveMode: 'local' }, 0), {
      Op: { source: { identifier: 'docker-image://docker.io/library/a:1', attrs: { 'image.resolvemode': 'local' } } },
      platform: { Architecture: 'amd64', OS: 'linux' },
    })
  })

  it('counts the inputs of a merge, and tells those of a difference', () => {
    assert.deepEqual(describeOp({ kind: 'merge' }, 2), { Op: { merge: { inputs: [{ input: 0 }, { input: 1 }] } } })
    assert.deepEqual(describeOp({ kind: 'diff', lower: -1, upper: 0 }, 1), { Op: { diff: { lower: { input: -1 }, upper: { input: 0 } } } })
  })
})
