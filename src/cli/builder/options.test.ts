import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { formatPlatform, hostPlatform } from '#oci'
import { buildArguments, cacheOfArguments } from './build-arguments.ts'
import { BUILD_FLAGS, type BuildValues } from './build-flags.ts'
import { buildRequest } from './build-request.ts'
import { planContext, planNamedContexts } from './build-context.ts'
import { parseCacheOption } from './cache-options.ts'
import { frontendOptions } from './frontend-options.ts'
import { findLocalCache } from './local-cache.ts'
import { annotations, buildOutputs, parseOutput } from './outputs.ts'
import { secretStore } from './secrets.ts'

function project(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'build-options-'))
  mkdirSync(join(path, 'docker'))
  writeFileSync(join(path, 'Dockerfile'), '')
  writeFileSync(join(path, 'docker/app.Dockerfile'), '')
  writeFileSync(join(path, 'token'), 'from file')
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

const FLAGS = { output: [] as string[], load: false, push: false, tag: [] as string[], annotation: [] as string[], allow: [] as string[] }
/** What a command line without flags gives. */
const VALUES = Object.fromEntries(Object.entries(BUILD_FLAGS).map(([name, { initial }]) => [name, initial])) as unknown as BuildValues
const PIPED = { stdoutIsTerminal: false }

suite('outputs', () => {
  test('without any the image goes into the store, under its tags', () => {
    assert.deepEqual(buildOutputs({ ...FLAGS, tag: ['a', 'b:1'] }, PIPED), [{ type: 'moby', attributes: { name: 'a,b:1' } }])
  })

  test('--push sends the image that is made anyway', () => {
    assert.deepEqual(buildOutputs({ ...FLAGS, push: true, tag: ['a'] }, PIPED), [{ type: 'moby', attributes: { push: 'true', name: 'a' } }])
    assert.throws(() => buildOutputs({ ...FLAGS, push: true }, PIPED), /tag is needed when pushing/)
    assert.throws(() => buildOutputs({ ...FLAGS, push: true, load: true }, PIPED), /push and load may not be set together/)
  })

  test('an archive does not go to a terminal', () => {
    assert.throws(
      () => buildOutputs({ ...FLAGS, output: ['type=tar'] }, { stdoutIsTerminal: true }),
      /refusing to write tar output to console/,
    )
    assert.deepEqual(parseOutput('-').destination, { kind: 'stdout' })
  })

  test('parseOutput reads paths and fields, and refuses what makes no sense', () => {
    assert.deepEqual(parseOutput('/tmp/out'), { type: 'local', attributes: {}, destination: { kind: 'directory', path: '/tmp/out' } })
    assert.deepEqual(parseOutput('type=oci,dest=/tmp/a.tar,compression=zstd'), {
      type: 'oci',
      attributes: { compression: 'zstd' },
      destination: { kind: 'file', path: '/tmp/a.tar' },
    })
    assert.deepEqual(parseOutput('type=docker'), { type: 'moby', attributes: {} })
    assert.throws(() => parseOutput('type=local'), /dest is required for local output/)
    assert.throws(() => parseOutput('type=image,dest=x'), /dest is not supported for image output/)
    assert.throws(() => parseOutput('type=moon,dest=x'), /unsupported output type: moon/)
    assert.deepEqual(parseOutput('dest=/x'), { type: 'local', attributes: {}, destination: { kind: 'directory', path: '/x' } })
    assert.throws(() => parseOutput('compression=zstd'), /type is required for output/)
  })

  test('an empty one is none, and one that could not be written is refused', () => {
    const outputs = (...output: string[]): string[] => buildOutputs({ ...FLAGS, output }, PIPED).map(({ type }) => type)
    assert.deepEqual(outputs(''), ['moby'])
    assert.throws(() => outputs('type=tar,dest=/nowhere/x'), { message: 'failed to open /nowhere/x: no such file or directory' })
    assert.throws(() => outputs('type=tar,dest=/'), { message: 'failed to open /: is a directory' })
    assert.throws(() => outputs(import.meta.filename), /^Error: destination directory .* is a file$/)
  })

  test('annotations say for which document they are', () => {
    assert.deepEqual(annotations(['a=1', 'index:b=2', 'manifest[linux/amd64]:c=3=4']), {
      'annotation.a': '1',
      'annotation-index.b': '2',
      'annotation-manifest[linux/amd64].c': '3=4',
    })
    assert.throws(() => annotations(['x']), /invalid annotation "x", expected key=value/)
  })
})

suite('contexts', () => {
  test('a directory, with the Dockerfile in it or elsewhere', () => {
    using made = project()
    assert.deepEqual(planContext(made.path, ''), {
      directories: { context: made.path, dockerfile: made.path },
      options: { filename: 'Dockerfile' },
      standardInput: 'none',
    })
    assert.deepEqual(planContext(made.path, join(made.path, 'docker/app.Dockerfile')).options, { filename: 'app.Dockerfile' })
    assert.deepEqual(planContext(made.path, 'docker/app.Dockerfile').directories['dockerfile'], join(made.path, 'docker'))
  })

  test('what is not there is told in Docker’s words', () => {
    using made = project()
    assert.throws(() => planContext('/nowhere/at/all', ''), /unable to prepare context: path "\/nowhere\/at\/all" not found/)
    assert.throws(() => planContext(join(made.path, 'token'), ''), /is not a directory/)
    assert.throws(() => planContext(made.path, 'no.Dockerfile'), /failed to read dockerfile: open no.Dockerfile: no such file or directory/)
    assert.throws(() => planContext('-', '-'), /can't use stdin for both/)
  })

  test('places elsewhere are left to the engine', () => {
    for (const place of ['https://h/x.git#main:sub', 'git@h:x/y.git', 'ssh://git@h/x'])
      assert.deepEqual(planContext(place, '').options, { context: place })
  })

  test('a directory called like a repository is a directory', () => {
    using made = project()
    const before = process.cwd()
    mkdirSync(join(made.path, 'github.com/o/r'), { recursive: true })
    try {
      process.chdir(made.path)
      assert.deepEqual(planContext('github.com/o/r', '').directories['context'], join(made.path, 'github.com/o/r'))
    } finally {
      process.chdir(before)
    }
    assert.deepEqual(planContext('github.com/o/r', '').options, { context: 'github.com/o/r' })
  })

  test('named contexts are directories, images, layouts', () => {
    using made = project()
    assert.deepEqual(planNamedContexts([`Src=${made.path}`, 'base=docker-image://alpine:3', 'lay=oci-layout:///l/x:tag']), {
      directories: { src: made.path },
      options: { 'context:src': 'local:src', 'context:base': 'docker-image://alpine:3', 'context:lay': 'oci-layout://lay:tag' },
      layouts: { lay: '/l/x' },
    })
    assert.throws(() => planNamedContexts(['x']), /invalid context value: x/)
  })
})

suite('arguments', () => {
  const cli = { config: {}, contextName: 'default' }

  test('take values of the environment, SOURCE_DATE_EPOCH without being asked for', () => {
    const env = { HOME: '/h', SOURCE_DATE_EPOCH: '5' }
    assert.deepEqual(buildArguments({ ...cli, env }, ['A=1', 'HOME', 'NOT_SET']), ['A=1', 'HOME=/h', 'SOURCE_DATE_EPOCH=5'])
    assert.deepEqual(buildArguments({ ...cli, env }, ['SOURCE_DATE_EPOCH=7']), ['SOURCE_DATE_EPOCH=7'])
    assert.deepEqual(buildArguments({ ...cli, env: {} }, []), [])
  })

  test('may mean an inline cache', () => {
    assert.deepEqual(cacheOfArguments(['BUILDKIT_INLINE_CACHE=1']), ['type=inline'])
    assert.deepEqual(cacheOfArguments(['BUILDKIT_INLINE_CACHE=0', 'A=1']), [])
  })
})

test('buildRequest refuses flags that do not go together', async () => {
  const cli = {} as Parameters<typeof buildRequest>[0]
  const cases: [Partial<BuildValues>, RegExp][] = [
    [{ 'no-cache': true, 'no-cache-filter': ['a'] }, /--no-cache and --no-cache-filter cannot currently be used together/],
    [{ quiet: true, progress: 'plain' }, /progress=plain and quiet cannot be used together/],
    [{ allow: ['network.moon'] }, /unknown entitlement network.moon/],
    [{ tag: ['app', ''] }, /^Error: invalid tag "": /],
    [{ tag: ['ABC'] }, /^Error: invalid tag "ABC": .* must be lowercase$/],
  ]
  for (const [flags, message] of cases) await assert.rejects(buildRequest(cli, { ...VALUES, ...flags }, '.'), message)
})

test('frontendOptions takes local for the platform of this machine', () => {
  assert.equal(
    frontendOptions({ ...VALUES, platform: ['local', 'linux/s390x'] }, [])['platform'],
    `${formatPlatform(hostPlatform())},linux/s390x`,
  )
})

test('parseCacheOption reads names and fields', () => {
  assert.deepEqual(parseCacheOption('user/app:cache', 'from'), { type: 'registry', attributes: { ref: 'user/app:cache' } })
  assert.deepEqual(parseCacheOption('type=local,dest=/c', 'to'), { type: 'local', attributes: { dest: '/c' }, directory: '/c' })
  const here = join(process.cwd(), 'c')
  assert.deepEqual(parseCacheOption('type=local,src=c', 'from'), { type: 'local', attributes: { src: here }, directory: here })
  assert.throws(() => parseCacheOption('type=local,dest=/c', 'from'), /src is required for local cache/)
})

test('findLocalCache finds what a name stands for, and passes over a cache that is not there', () => {
  using made = project()
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  writeFileSync(join(made.path, 'index.json'), JSON.stringify({ manifests: [{ digest: 'sha256:aa', annotations }] }))
  const warnings: string[] = []
  const find = (text: string): string | undefined =>
    findLocalCache(parseCacheOption(text, 'from'), (line) => void warnings.push(line))?.attributes['digest']
  assert.deepEqual(
    [find(`type=local,src=${made.path}`), find('type=local,src=/nowhere,digest=sha256:bb'), warnings],
    ['sha256:aa', 'sha256:bb', []],
  )
  assert.deepEqual([find(`type=local,src=${made.path},tag=other`), find('type=local,src=/nowhere')], [undefined, undefined])
  assert.match(
    warnings.join('\n'),
    /^WARNING: local cache import at .*: no cache named "other"\nWARNING: local cache import at \/nowhere not found due to err: /,
  )
})

test('secretStore reads files and variables, and names what is wrong', () => {
  using made = project()
  const store = secretStore([`id=a,src=${join(made.path, 'token')}`, 'id=B', 'id=c,env=B', 'id=d,type=env,src=B'], { B: 'from env' })
  assert.deepEqual(
    ['a', 'B', 'c', 'd', 'e'].map((id) => (store(id) === undefined ? undefined : Buffer.from(store(id) ?? []).toString())),
    ['from file', 'from env', 'from env', 'from env', undefined],
  )
  assert.throws(() => secretStore(['src=x'], {}), /secret id is required/)
  assert.throws(() => secretStore(['id=x,src=/nowhere'], {}), /failed to stat \/nowhere/)
  assert.throws(() => secretStore(['id=x,foo=1'], {}), /unexpected key 'foo' in 'foo=1'/)
})
