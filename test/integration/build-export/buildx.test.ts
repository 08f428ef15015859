/** What buildx asks of exporters and caches, from the command line to the registry. Needs root, the docker CLI and buildx. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BUILDX } from '../../conformance/build/build-clients.ts'
import { DockerRegistry, dockerRegistryMissing, Engine } from '../../harness/index.ts'
import { startCacheServices } from './cache-services.ts'

const skip = process.getuid?.() === 0 ? (BUILDX.missing ?? false) : 'needs root'
const DOCKERFILE = `FROM starter AS base
RUN echo one > /one
RUN true
FROM base AS side
RUN echo side > /side
FROM base
COPY sub /sub
ENV a=b
COPY --from=side /side /from-side
`

/** A directory with the Dockerfile and what it copies. */
function context(dockerfile: string = DOCKERFILE): Disposable & { path: string } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'build-export-'))
  mkdirSync(join(directory.path, 'sub'))
  writeFileSync(join(directory.path, 'sub/file'), 'content')
  writeFileSync(join(directory.path, 'Dockerfile'), dockerfile)
  return { path: directory.path, [Symbol.dispose]: () => directory.remove() }
}

async function engineWithStarter(): Promise<Engine> {
  const engine = await Engine.start()
  engine.loadStarter()
  return engine
}

const idOf = (engine: Engine, ref: string): string => engine.mustDocker('image', 'inspect', '--format', '{{.Id}}', ref).trim()

/** Forgets everything that was built. */
function forget(engine: Engine, ...refs: string[]): void {
  engine.mustDocker('rmi', '-f', ...refs)
  engine.mustDocker('builder', 'prune', '-af')
}

describe('buildx and our exporters', { skip }, () => {
  it('agree on what an image is called, and write files, archives and layouts', async () => {
    await using engine = await engineWithStarter()
    using source = context()
    const out = (name: string): string => join(engine.directory, name)
    BUILDX.build(engine, source.path, 'app:1', '--iidfile', out('iid'), '--metadata-file', out('metadata'))
    const metadata = JSON.parse(readFileSync(out('metadata'), 'utf8')) as Record<string, string>
    const id = idOf(engine, 'app:1')
    assert.equal(readFileSync(out('iid'), 'utf8'), id)
    assert.deepEqual(
      [metadata['containerimage.digest'], metadata['containerimage.config.digest'], metadata['image.name']],
      [id, id, 'docker.io/library/app:1'],
    )

    const history = engine.mustDocker('history', '--format', '{{.Size}} {{.CreatedBy}}', 'app:1').split('\n')
    assert.match(history[0] ?? '', /^5B COPY \/side/)
    assert.match(history.find((line) => line.includes('echo one')) ?? '', /^4B /)
    assert.match(history.find((line) => line.includes('-c true')) ?? '', /^0B /)

    BUILDX.build(engine, source.path, 'app:1', '--output', `type=local,dest=${out('tree')}`)
    assert.equal(readFileSync(out('tree/sub/file'), 'utf8'), 'content')
    BUILDX.build(engine, source.path, 'app:1', '--output', `type=oci,tar=false,dest=${out('layout')}`)
    assert.ok(readdirSync(out('layout')).includes('index.json'))
    for (const type of ['oci', 'docker']) {
      BUILDX.build(engine, source.path, `${type}:1`, '--output', `type=${type},dest=${out(`${type}.tar`)}`)
      assert.match(engine.mustDocker('load', '-i', out(`${type}.tar`)), new RegExp(`Loaded image: ${type}:1`))
      assert.equal(idOf(engine, `${type}:1`), id)
    }
    assert.throws(() => BUILDX.build(engine, source.path, 'app:1', '--output', 'type=image,nmae=x'), /unknown attribute "nmae"/)
  })

  it('make an index of several platforms, which push gives away as it is', { skip: dockerRegistryMissing() }, async () => {
    await using engine = await engineWithStarter()
    await using registry = await DockerRegistry.start({ host: engine.host, port: 5000 })
    using source = context('FROM scratch\nARG TARGETARCH\nCOPY sub /$TARGETARCH\n')
    const name = `${registry.domain}/multi:1`
    const metadata = join(engine.directory, 'metadata')
    BUILDX.build(engine, source.path, name, '--platform', 'linux/amd64,linux/arm64', '--push', '--metadata-file', metadata)
    const digest = (JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>)['containerimage.digest']
    assert.match(engine.mustDocker('push', name), new RegExp(`digest: ${digest}`))
    assert.equal(
      engine.mustDocker('image', 'inspect', '--format', '{{index .RepoDigests 0}}', name).trim(),
      `${registry.domain}/multi@${digest}`,
    )
    BUILDX.build(
      engine,
      source.path,
      'x',
      '--platform',
      'linux/amd64,linux/arm64',
      '--output',
      `type=local,dest=${join(engine.directory, 'tree')}`,
    )
    assert.deepEqual(readdirSync(join(engine.directory, 'tree')).sort(), ['linux_amd64', 'linux_arm64'])
  })

  it(
    'keep caches in registries, directories, services and images, out of which the same image comes again',
    { skip: dockerRegistryMissing() },
    async () => {
      await using engine = await engineWithStarter()
      await using registry = await DockerRegistry.start({ host: engine.host, port: 5000 })
      using source = context()
      await using services = await startCacheServices(engine.host)
      const ref = `${registry.domain}/app:cache`
      const directory = join(engine.directory, 'cache')
      BUILDX.build(engine, source.path, 'app:1', '--cache-to', `type=registry,ref=${ref},mode=max`)
      BUILDX.build(engine, source.path, 'app:1', '--cache-to', `type=local,dest=${directory},mode=max`)
      for (const to of [services.gha, services.s3]) BUILDX.build(engine, source.path, 'app:1', '--cache-to', `${to},mode=max`)
      const id = idOf(engine, 'app:1')
      BUILDX.build(engine, source.path, `${registry.domain}/app:inline`, '--cache-to', 'type=inline', '--push')
      forget(engine, 'app:1', `${registry.domain}/app:inline`)
      for (const from of [`type=registry,ref=${ref}`, `type=local,src=${directory}`, services.gha, services.s3]) {
        const said = BUILDX.build(engine, source.path, 'app:1', '--progress', 'plain', '--cache-from', from)
        assert.match(said, /RUN echo one > \/one\n#\d+ CACHED/, said)
        assert.equal(idOf(engine, 'app:1'), id)
        forget(engine, 'app:1')
      }
      const said = BUILDX.build(engine, source.path, 'app:1', '--progress', 'plain', '--cache-from', `${registry.domain}/app:inline`)
      assert.match(said, /RUN echo one > \/one\n#\d+ CACHED/, said)
    },
  )

  it('make the same image on two daemons, at different times', async () => {
    const ids: string[] = []
    for (let round = 0; round < 2; round++) {
      await using engine = await Engine.start()
      using source = context('FROM scratch\nCOPY sub /sub\nCOPY sub/file /other\n')
      const args = ['--build-arg', 'SOURCE_DATE_EPOCH=1600000000', '--output', 'type=image,name=app:1,rewrite-timestamp=true']
      BUILDX.build(engine, source.path, 'app:1', ...args)
      ids.push(idOf(engine, 'app:1'))
    }
    assert.equal(ids[1], ids[0])
  })
})
