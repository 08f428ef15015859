import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Edge, Op, Vertex, VertexMeta } from '#build'
import { create, ops, toBinary, type MessageInitShape } from '#grpc'
import { digestOf } from '#oci'
import { decodeDefinition } from './decode-definition.ts'
import { REF_SCHEME, ResultRefs } from './result-refs.ts'

/** As the engine names vertices, as far as it counts here: by what they do. */
function makeVertex(op: Op, inputs: readonly Edge[], meta: VertexMeta): Vertex {
  const description = { op, inputs: inputs.map(({ vertex: { id }, output }) => [id, output]) }
  return { id: digestOf(Buffer.from(JSON.stringify(description))), op, inputs, meta }
}

type OpInit = MessageInitShape<typeof ops.OpSchema>

/** A definition as clients write it; its operations name their inputs by name. */
function definition(
  written: Record<string, { op: OpInit['op']; inputs?: string[] }>,
  result: string,
  metadata: Record<string, MessageInitShape<typeof ops.OpMetadataSchema>> = {},
): ops.Definition {
  const digests = new Map<string, string>()
  const encode = (op: OpInit): Uint8Array => toBinary(ops.OpSchema, create(ops.OpSchema, op))
  const inputsOf = (names: readonly string[]): { digest: string; index: bigint }[] =>
    names.map((name) => ({ digest: digests.get(name) ?? name, index: 0n }))
  const def: Uint8Array[] = []
  for (const [name, { op, inputs = [] }] of Object.entries(written)) {
    const bytes = encode({ op: op!, inputs: inputsOf(inputs) })
    digests.set(name, digestOf(bytes))
    def.push(bytes)
  }
  def.push(encode({ inputs: inputsOf([result]) }))
  const byDigest = Object.fromEntries(Object.entries(metadata).map(([name, meta]) => [digests.get(name) ?? '', meta]))
  return create(ops.DefinitionSchema, { def, metadata: byDigest })
}

const refs = new ResultRefs(makeVertex)
const context = {
  makeVertex,
  platform: { os: 'linux', architecture: 'amd64' },
  refScheme: REF_SCHEME,
  resolveRef: (identifier: string): Edge | undefined => refs.resolve(identifier, 'here'),
}

const image = (name: string): { op: OpInit['op'] } => ({ op: { case: 'source', value: { identifier: `docker-image://${name}` } } })
const run = (inputs: string[], value: object = {}): { op: OpInit['op']; inputs: string[] } => ({
  inputs,
  op: { case: 'exec', value: { meta: { args: ['make'], cwd: '/' }, mounts: [{ input: 0n, dest: '/', output: 0n }], ...value } },
})

test('decodeDefinition makes vertices of operations, with their names', () => {
  const edge = decodeDefinition(
    definition({ base: image('alpine'), make: run(['base']) }, 'make', {
      make: { description: { 'llb.customname': '[1/1] RUN make' }, ignoreCache: true },
    }),
    context,
  )
  assert.ok(edge)
  assert.equal(edge.vertex.meta.name, '[1/1] RUN make')
  assert.equal(edge.vertex.meta.ignoreCache, true)
  assert.deepEqual(edge.vertex.inputs[0]?.vertex.op, {
    kind: 'image',
    reference: 'docker.io/library/alpine:latest',
    platform: { os: 'linux', architecture: 'amd64' },
    resolveMode: 'local',
  })
})

test('decodeDefinition gives one vertex for what is written once', () => {
  const merged = { op: { case: 'merge' as const, value: { inputs: [{ input: 0n }, { input: 1n }] } }, inputs: ['a', 'b'] }
  const edge = decodeDefinition(
    definition({ base: image('alpine'), a: run(['base']), b: run(['base'], { network: 2 }), merged }, 'merged'),
    context,
  )
  const [a, b] = edge?.vertex.inputs ?? []
  assert.notEqual(a?.vertex, b?.vertex)
  assert.equal(a?.vertex.inputs[0]?.vertex, b?.vertex.inputs[0]?.vertex)
})

test('decodeDefinition follows a chain of thousands of steps', () => {
  const steps: Record<string, { op: OpInit['op']; inputs?: string[] }> = { s0: image('alpine') }
  for (let index = 1; index <= 5000; index++) steps[`s${index}`] = run([`s${index - 1}`])
  assert.ok(decodeDefinition(definition(steps, 's5000'), context))
})

test('decodeDefinition gives undefined for an empty file system', () => {
  assert.equal(decodeDefinition(create(ops.DefinitionSchema), context), undefined)
})

test('decodeDefinition decodes actions on files, and refuses one that builds on a later one', () => {
  const copy = {
    input: -1n,
    secondaryInput: 0n,
    output: -1n,
    action: {
      case: 'copy',
      value: { src: '/a', dest: '/b', mode: -1, timestamp: -1n, owner: { user: { user: { case: 'byId', value: 5 } } } },
    },
  } as const
  const made = (input: bigint) =>
    ({ input, output: 0n, action: { case: 'mkdir', value: { path: '/d', mode: 0o755, timestamp: 5_000_000n } } }) as const
  const files = (input: bigint) =>
    ({ inputs: ['base'], op: { case: 'file', value: { actions: [copy, made(input)] } } }) as { op: OpInit['op'] }
  const edge = decodeDefinition(definition({ base: image('alpine'), files: files(1n) }, 'files'), context)
  assert.ok(edge?.vertex.op.kind === 'file')
  assert.deepEqual(
    edge.vertex.op.actions.map(({ action, input, output }) => [action, input, output]),
    [
      ['copy', -1, -1],
      ['mkdir', 1, 0],
    ],
  )
  const [first, second] = edge.vertex.op.actions
  assert.deepEqual(first?.action === 'copy' && [first.owner, first.mode, first.timestamp], [{ user: 5 }, undefined, undefined])
  assert.equal(second?.action === 'mkdir' && second.timestamp, 5)
  assert.throws(() => decodeDefinition(definition({ base: image('alpine'), files: files(2n) }, 'files'), context), {
    code: 'INVALID_ARGUMENT',
  })
})

test('decodeDefinition decodes every kind of mount', () => {
  const mounts = [
    { input: 0n, dest: '/', output: 0n },
    { input: 1n, dest: '/src', output: -1n, readonly: true, selector: 'sub' },
    { input: -1n, dest: '/cache', mountType: ops.MountType.CACHE, cache: { id: 'npm', sharing: ops.CacheSharing.LOCKED } },
    { input: -1n, dest: '/tmp', mountType: ops.MountType.TMPFS, tmpfs: { size: 4096n } },
    { input: -1n, dest: '/s', mountType: ops.MountType.SECRET, secret: { id: 'token', mode: 0o400, optional: true } },
    { input: -1n, dest: '/a', mountType: ops.MountType.SSH, ssh: { id: 'default', mode: 0o600 } },
  ]
  const edge = decodeDefinition(
    definition({ base: image('alpine'), src: image('src'), make: run(['base', 'src'], { mounts }) }, 'make'),
    context,
  )
  assert.ok(edge?.vertex.op.kind === 'exec')
  assert.deepEqual(
    edge.vertex.op.mounts.map((mount) => [mount.type, mount.target, mount.type === 'bind' && mount.contentKey]),
    [
      ['bind', '/', false],
      ['bind', '/src', true],
      ['cache', '/cache', false],
      ['tmpfs', '/tmp', false],
      ['secret', '/s', false],
      ['ssh', '/a', false],
    ],
  )
})

test('decodeDefinition takes devices by name', () => {
  const devices = (cdiDevices: object[]): unknown => {
    const edge = decodeDefinition(definition({ base: image('alpine'), make: run(['base'], { cdiDevices }) }, 'make'), context)
    return edge?.vertex.op.kind === 'exec' ? edge.vertex.op.devices : 'no step'
  }
  assert.deepEqual(devices([{ name: 'v.com/c=a', optional: true }, { name: 'v.com/c' }]), [
    { name: 'v.com/c=a', optional: true },
    { name: 'v.com/c', optional: false },
  ])
  assert.equal(devices([]), undefined)
})

test('decodeDefinition refuses what is missing, unknown, or no result', () => {
  const invalid = { code: 'INVALID_ARGUMENT' }
  assert.throws(() => decodeDefinition(definition({ make: run(['sha256:gone']) }, 'make'), context), invalid)
  const bytes = toBinary(ops.OpSchema, create(ops.OpSchema, { op: { case: 'source', value: { identifier: 'docker-image://a' } } }))
  assert.throws(() => decodeDefinition(create(ops.DefinitionSchema, { def: [bytes] }), context), invalid)
  assert.throws(() => decodeDefinition(definition({ a: { op: { case: 'source', value: { identifier: 'ftp://x' } } } }, 'a'), context), {
    code: 'NOT_IMPLEMENTED',
  })
  assert.throws(() => decodeDefinition(definition({ a: { op: { case: 'build', value: {} } } }, 'a'), context), { code: 'NOT_IMPLEMENTED' })
  assert.throws(() => decodeDefinition(definition({ a: run([], { security: 2 }) }, 'a'), context), /invalid security mode: 2/)
})

test('decodeDefinition decodes git and http sources', () => {
  const source = (identifier: string, attrs: Record<string, string>) =>
    decodeDefinition(definition({ a: { op: { case: 'source', value: { identifier, attrs } } } }, 'a'), context)?.vertex.op
  const git = source('git://github.com/a/b.git#main:docs', { 'git.fullurl': 'https://github.com/a/b.git', 'git.keepgitdir': 'true' })
  assert.ok(git?.kind === 'git')
  assert.deepEqual([git.remote, git.ref, git.subdirectory, git.keepGitDirectory], ['https://github.com/a/b.git', 'main', 'docs', true])
  for (const mode of ['0644', '0o644', '0x1a4', '420']) {
    const http = source('https://example.com/x.tar', { 'http.filename': 'y', 'http.perm': mode })
    assert.ok(http?.kind === 'http')
    assert.deepEqual([http.url, http.filename, http.mode], ['https://example.com/x.tar', 'y', 0o644])
  }
  for (const uid of ['', '-1', '7x', '1e3']) assert.throws(() => source('https://example.com/', { 'http.uid': uid }), /invalid http\.uid/)
})

test('ResultRefs gives a definition that comes back as the same file system', () => {
  const edge = decodeDefinition(definition({ base: image('alpine') }, 'base'), context)
  const { def } = refs.keep(edge, 'here', context.platform)
  assert.ok(def)
  assert.equal(decodeDefinition(create(ops.DefinitionSchema, def), context), edge)
})

test('ResultRefs names the session of directories that another build made', () => {
  const local = { op: { case: 'source', value: { identifier: 'local://context' } } } as const
  const edge = decodeDefinition(definition({ local, make: run(['local']) }, 'make'), context)
  const { def } = refs.keep(edge, 'elsewhere', context.platform)
  const back = decodeDefinition(create(ops.DefinitionSchema, def), context)
  assert.notEqual(back?.vertex.id, edge?.vertex.id)
  const source = back?.vertex.inputs[0]?.vertex.op
  assert.equal(source?.kind === 'local' && source.session, 'elsewhere')
})

test('ResultRefs keeps those of builds that run, and the last ones of builds that have ended', () => {
  const own = new ResultRefs(makeVertex)
  const edge = decodeDefinition(definition({ base: image('alpine') }, 'base'), context)
  const keep = (): string => own.keep(edge, 'here', context.platform).id ?? ''
  const running = keep()
  const ended = Array.from({ length: 1001 }, keep)
  own.retire(ended)
  assert.equal(own.find(running), edge)
  assert.equal(own.find(ended[1] ?? ''), edge)
  assert.throws(() => own.find(ended[0] ?? ''), { code: 'INVALID_ARGUMENT' })
})

test('ResultRefs refuses ids that it did not give', () => {
  assert.throws(() => refs.find('made-up'), { code: 'INVALID_ARGUMENT' })
  assert.equal(refs.find(''), undefined)
})
