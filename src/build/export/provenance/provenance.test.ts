import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex } from '../../graph/digest.ts'
import { PLAIN_EXEC } from '../../graph/plain-exec.ts'
import type { ExecOp, GitSource } from '../../graph/types.ts'
import type { ProvenanceFacts } from '../../provenance-facts.ts'
import { provenanceOf } from './provenance.ts'
import type { ProvenanceOptions } from './provenance-options.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }
const SECRET_URL = 'https://me@example.com:secret@example.com/app.git#main'
const GIT: GitSource = {
  kind: 'git',
  remote: 'https://me:secret@example.com/app.git',
  ref: 'main',
  subdirectory: '',
  keepGitDirectory: false,
  skipSubmodules: false,
  authTokenSecret: '',
  authHeaderSecret: '',
}

function factsOf(members: Partial<ProvenanceFacts> = {}): ProvenanceFacts {
  return {
    buildId: 'id',
    frontend: 'dockerfile.v0',
    options: {},
    materials: [],
    directories: new Set(),
    startedAt: 1_700_000_000_000.5,
    graph: [],
    ...members,
  }
}

function predicateOf(facts: ProvenanceFacts, options: Partial<ProvenanceOptions> = {}): any {
  const all = { mode: 'max', version: 'v0.2', inlineOnly: false, reproducible: false, builderId: undefined, ...options } as const
  return provenanceOf(facts, AMD64, all, { builderId: 'https://engine', finishedAt: 1_700_000_001_000 }).predicate
}

describe('provenanceOf', () => {
  it('tells who built when, and of what', () => {
    const materials = ['pkg:docker/alpine@3', 'pkg:docker/debian@13', 'https://b'].map((uri) => ({ uri, digest: { sha256: 'ab' } }))
    const predicate = predicateOf(factsOf({ materials: materials.toReversed() }), { builderId: 'https://me' })
    assert.deepEqual(predicate.materials, materials)
    assert.equal(predicate.builder.id, 'https://me')
    assert.equal(predicate.metadata.buildStartedOn, '2023-11-14T22:13:20Z')
    assert.equal(predicate.metadata.buildFinishedOn, '2023-11-14T22:13:21Z')
    assert.equal(predicate.metadata.buildInvocationID, 'id')
  })

  it('tells of its own platform, of a build for several', () => {
    const graphs = [GIT, { ...GIT, ref: 'other' }].map((op) => [vertex(op, [], { name: '' })])
    const [own = [], other = []] = graphs
    const materials = [{ uri: 'pkg:docker/alpine@3?platform=linux%2Famd64', digest: { sha256: 'ab' } }]
    const platforms = new Map([
      ['linux/amd64', { graph: own, materials }],
      ['linux/arm64', { graph: other, materials: [] }],
    ])
    const predicate = predicateOf(factsOf({ graph: graphs.flat(), platforms }))
    assert.deepEqual(Object.keys(predicate.buildConfig.digestMapping), [own[0]?.id])
    assert.deepEqual(predicate.materials, materials)
  })

  it('says that a build was hermetic only if no step could see a network and no directory came from a client', () => {
    const step = (network: ExecOp['network']) => vertex({ ...PLAIN_EXEC, args: [], network, mounts: [], platform: AMD64 }, [], { name: '' })
    const isHermetic = (network: ExecOp['network']) => predicateOf(factsOf({ graph: [step(network)] })).metadata.completeness.materials
    assert.deepEqual([isHermetic('none'), isHermetic('default'), isHermetic({ name: 'mine' })], [true, false, false])
  })

  it('names what the definition of the build was read from, and it is not hermetic if that was a directory of the client', () => {
    const context = 'https://example.com/app.git#main'
    const material = { uri: context, digest: { sha1: 'ab' } }
    const options = { context, filename: 'other.Dockerfile' }
    const remote = predicateOf(factsOf({ options, materials: [material] }))
    assert.deepEqual(remote.invocation, {
      ...remote.invocation,
      configSource: { ...material, entryPoint: 'other.Dockerfile' },
      parameters: { frontend: 'dockerfile.v0', args: {}, locals: [] },
    })
    const local = predicateOf(factsOf({ directories: new Set(['dockerfile', 'context']) }), { version: 'v1' })
    const { configSource, request } = local.buildDefinition.externalParameters
    assert.deepEqual([configSource, request.locals], [{ path: 'Dockerfile' }, [{ name: 'context' }, { name: 'dockerfile' }]])
    assert.deepEqual([remote.metadata.completeness.materials, local.runDetails.metadata.buildkit_hermetic], [true, false])
  })

  it('names secrets and agents, with `max` alone', () => {
    const owner = { mode: 0o400, uid: 0, gid: 0 }
    const mounts: ExecOp['mounts'] = [
      { type: 'secret', target: '/run/secrets/b', id: 'b', optional: false, ...owner },
      { type: 'ssh', target: '/a', id: 'default', optional: true, ...owner },
    ]
    const secretEnv = [{ id: 'a', name: 'A', optional: true }]
    const op: ExecOp = { ...PLAIN_EXEC, args: [], network: 'none', mounts, secretEnv, platform: AMD64 }
    const graph = [vertex(op, [], { name: '' })]
    const { parameters } = predicateOf(factsOf({ graph })).invocation
    assert.deepEqual(parameters.secrets, [{ id: 'a', optional: true }, { id: 'b' }])
    assert.deepEqual(parameters.ssh, [{ id: 'default', optional: true }])
    const least = predicateOf(factsOf({ graph }), { mode: 'min' })
    assert.equal(least.invocation.parameters.secrets, undefined)
    assert.equal(least.buildConfig, undefined)
  })

  it('publishes no passwords, and nothing that tells of the machine', () => {
    const options = {
      context: SECRET_URL,
      'vcs:source': SECRET_URL,
      'build-arg:HTTP_PROXY': SECRET_URL,
      'cgroup-parent': '/x',
      target: 't',
    }
    const facts = factsOf({ options, graph: [vertex(GIT, [], { name: '' })], materials: [{ uri: SECRET_URL, digest: {} }] })
    for (const version of ['v0.2', 'v1'] as const) {
      const text = JSON.stringify(predicateOf(facts, { version }))
      assert.doesNotMatch(text, /secret@|cgroup-parent|HTTP_PROXY/)
      assert.match(text, /https:\/\/example\.com\/app\.git#main/)
    }
  })
})
