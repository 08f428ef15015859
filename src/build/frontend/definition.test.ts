import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeEntry, tarEntry } from '#archive'
import { vertex } from '../graph/digest.ts'
import type { Edge, LocalSource } from '../graph/types.ts'
import { walkGraph } from '../solver/walk-graph.ts'
import { fakeBuild } from './testing/fake-host.ts'
import type { FakeBuild, FakeWorld } from './testing/fake-host.ts'
import { graphText } from './testing/graph-text.ts'

const COPY = 'FROM scratch\nCOPY a /\n'

function graph({ result }: FakeBuild): string[] {
  return graphText(result.images[0]?.edge).split('\n')
}

function local(name: string): Edge {
  const op: LocalSource = { kind: 'local', name, includePatterns: [], excludePatterns: [], followPaths: [], sharedKeyHint: name }
  return { vertex: vertex(op, [], { name: `input ${name}` }), output: 0 }
}

/** A build whose Dockerfile is elsewhere. */
async function elsewhere(world: FakeWorld): Promise<FakeBuild> {
  return await fakeBuild('FROM wrong', world)
}

describe('loadDefinition', () => {
  test('asks for the Dockerfile and its own ignore file, then for the general one', async () => {
    const { reads } = await fakeBuild(COPY)
    assert.deepEqual(reads, ['dockerfile Dockerfile', 'dockerfile Dockerfile.dockerignore', 'context .dockerignore'])
  })

  test('prefers the ignore file beside the Dockerfile', async () => {
    const files = { dockerfile: { Dockerfile: COPY, 'Dockerfile.dockerignore': 'own' }, context: { '.dockerignore': 'general' } }
    const built = await fakeBuild(COPY, { files })
    assert.deepEqual(built.reads, ['dockerfile Dockerfile', 'dockerfile Dockerfile.dockerignore'])
    assert.match(graph(built)[0] ?? '', /exclude=\[own\]/)
  })

  test('leaves out of a context that a classic client has sent only what that client had to send', async () => {
    const files = { context: { '.dockerignore': '*\n!a\n' }, dockerfile: { 'Docker[file': COPY } }
    const built = await elsewhere({ files, options: { 'gantry.history': 'classic', filename: 'Docker[file' } })
    assert.match(graph(built)[0] ?? '', /exclude=\[Docker\\\[file \.dockerignore\]/)
  })

  test('names the ignore file that is wrong', async () => {
    const files = { context: { '.dockerignore': '[a-' } }
    await assert.rejects(fakeBuild(COPY, { files }), { message: /^failed parsing \.dockerignore: / })
  })

  test('finds dockerfile in lower case, also in a directory', async () => {
    const built = await elsewhere({ files: { dockerfile: { 'docker/dockerfile': COPY } }, options: { filename: 'docker/Dockerfile' } })
    assert.equal(graph(built).length, 2)
    assert.deepEqual(built.reads.slice(0, 2), ['dockerfile docker/Dockerfile', 'dockerfile docker/dockerfile'])
  })

  test('says which file is not there', async () => {
    await assert.rejects(elsewhere({ files: { dockerfile: {} }, options: { filename: 'x' } }), {
      code: 'NOT_FOUND',
      message: 'failed to read dockerfile: open x: no such file or directory',
    })
    await assert.rejects(elsewhere({ files: { dockerfile: {} }, options: { 'gantry.history': 'classic', filename: 'x' } }), {
      code: 'INVALID_ARGUMENT',
      message: 'Cannot locate specified Dockerfile: x',
    })
  })

  test('refuses an empty Dockerfile', async () => {
    await assert.rejects(fakeBuild(''), { message: 'the Dockerfile cannot be empty' })
  })

  test('uses the names and sessions that the client has for its directories', async () => {
    const built = await elsewhere({
      files: { df: { Dockerfile: COPY } },
      options: { dockerfilekey: 'df', contextkey: 'ctx', 'local-sessionid:ctx': 'session2' },
    })
    assert.deepEqual(graph(built)[0], '1 local ctx session2 follow=[a] key=ctx "[internal] load build context"')
    assert.equal(built.reads[0], 'df Dockerfile')
  })

  test('takes Dockerfile and context from a repository', async () => {
    const remote = 'https://github.com/user/repo.git'
    const built = await elsewhere({ files: { [remote]: { Dockerfile: COPY } }, options: { context: `${remote}#main:sub` } })
    assert.deepEqual(graph(built), [
      `1 git ${remote} main sub=sub "[internal] load git source ${remote}#main:sub"`,
      '2 file copy 1:/a → empty:/ "[1/1] COPY a /"',
    ])
    assert.deepEqual(built.reads, [`${remote} Dockerfile`])
  })

  test('shows no password of an address', async () => {
    const [main, named] = ['https://me:secret@h/a.git', 'https://me:secret@h/b.git']
    const files = { [main]: { Dockerfile: 'FROM scratch\nCOPY --from=x / /\nCOPY --from=y / /\n' } }
    const options = { context: main, 'context:x': named, 'context:y': 'https://me:secret@h/c' }
    const { result } = await elsewhere({ files, options })
    const tops = result.images.flatMap(({ edge }) => edge?.vertex ?? [])
    assert.deepEqual(
      walkGraph(tops).filter(({ meta }) => meta.name.includes('secret')),
      [],
    )
    const contexts = await elsewhere({ files: { [main]: { Dockerfile: COPY } }, options: { context: main } })
    assert.match(graph(contexts)[0] ?? '', /"\[internal\] load git source https:\/\/h\/a.git"$/)
  })

  test('keeps .git when an argument says so', async () => {
    const remote = 'git@github.com:user/repo.git'
    const options = { context: remote, 'build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR': '1' }
    const built = await elsewhere({ files: { [remote]: { Dockerfile: COPY } }, options })
    assert.match(graph(built)[0] ?? '', / keep default /)
  })

  test('takes a Dockerfile from a URL, and the client’s for a repository', async () => {
    const url = 'http://buildkit-session/file'
    const built = await elsewhere({ files: { [url]: { context: 'FROM scratch\nCOPY context /\n' } }, options: { context: url } })
    assert.deepEqual(graph(built), [
      `1 http ${url} as=context "[internal] load remote build context"`,
      '2 file copy 1:/context → empty:/ "[1/1] COPY context /"',
    ])
    const remote = 'https://github.com/user/repo.git'
    const mixed = await fakeBuild(COPY, { options: { context: remote, dockerfilekey: 'dockerfile' } })
    assert.equal(mixed.reads[0], 'dockerfile Dockerfile')
    assert.match(graph(mixed)[0] ?? '', /^1 git /)
  })

  test('unpacks an archive from a URL; the Dockerfile is that of all of it', async () => {
    const url = 'https://example.com/context.tar'
    const archive = encodeEntry(tarEntry({ path: 'sub/a' })).header
    const files = { [url]: { context: archive }, [`unpacked ${url}`]: { Dockerfile: COPY } }
    const built = await elsewhere({ files, options: { context: url, contextsubdir: 'sub' } })
    assert.deepEqual(graph(built), [
      `1 http ${url} as=context "[internal] load remote build context"`,
      '2 file copy 1:/context → empty:/ unpack exact "[internal] unpack remote build context"',
      '3 file copy 2:/sub → empty:/ exact "[internal] select sub of build context"',
      '4 file copy 3:/a → empty:/ "[1/1] COPY a /"',
    ])
  })

  test('takes what the client has made as graphs', async () => {
    const built = await elsewhere({
      inputs: { context: local('made'), dockerfile: local('df'), extra: local('third') },
      files: { df: { Dockerfile: 'FROM scratch\nCOPY a /\nCOPY --from=more b /\n' } },
      options: { 'context:more': 'input:extra' },
    })
    assert.deepEqual(graph(built), [
      '1 local made key=made "input made"',
      '2 file copy 1:/a → empty:/ "[stage-0 1/2] COPY a /"',
      '3 local third key=third "input third"',
      '4 file copy 3:/b → 2:/ "[stage-0 2/2] COPY --from=more b /"',
    ])
  })

  test('knows the config of a graph that is an image', async () => {
    const config = { os: 'linux', architecture: 'amd64', config: { Env: ['X=1'], User: 'me' }, rootfs: { type: 'layers', diff_ids: [] } }
    const metadata = { 'containerimage.config': Buffer.from(JSON.stringify(config)).toString('base64') }
    const { result } = await fakeBuild('FROM base\n', {
      inputs: { base: local('base') },
      options: { 'context:base': 'input:base', 'input-metadata:base': JSON.stringify(metadata) },
    })
    assert.deepEqual(result.images[0]?.config?.config?.User, 'me')
    assert.equal(result.images[0]?.edge?.vertex.op.kind, 'local')
  })

  test('refuses an input that there is not', async () => {
    await assert.rejects(fakeBuild('FROM base\n', { options: { 'context:base': 'input:base' } }), {
      message: 'invalid input base for base',
    })
  })
})
