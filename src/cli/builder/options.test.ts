import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { planContext, planNamedContexts } from './build-context.ts'
import { parseCacheOption } from './cache-options.ts'
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

const FLAGS = { output: [] as string[], load: false, push: false, tag: [] as string[], annotation: [] as string[] }
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
    assert.throws(() => parseOutput('dest=x'), /type is required for output/)
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

test('parseCacheOption reads names and fields', () => {
  assert.deepEqual(parseCacheOption('user/app:cache', 'from'), { type: 'registry', attributes: { ref: 'user/app:cache' } })
  assert.deepEqual(parseCacheOption('type=local,dest=/c', 'to'), { type: 'local', attributes: { dest: '/c' }, directory: '/c' })
  assert.throws(() => parseCacheOption('type=local,dest=/c', 'from'), /src is required for local cache/)
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
