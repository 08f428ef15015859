/** A root file system with one of everything goes into an image, to a registry, back, and out again: nothing of it may change. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { DockerRegistry, Engine } from '../../harness/index.ts'
import { makeTree, TAR_OPTIONS } from '../storage/sample-tree.ts'
import { listTree, shell } from '../storage/tree-listing.ts'

/** Places that every container has, whatever its image is like: mount points of the init layer. */
const INIT_PATHS = ['/dev', '/proc', '/sys', '/etc', '/.dockerenv']

describe('a root file system', () => {
  const undo = new AsyncDisposableStack()
  let engine: Engine
  let registry: DockerRegistry
  let original = ''

  before(async () => {
    engine = undo.use(await Engine.start())
    registry = undo.use(await DockerRegistry.start({ host: engine.host, port: 5000 }))
    original = join(engine.directory, 'original')
    mkdirSync(original)
    makeTree(original)
    // Longer than one tar header holds, and than a PAX-less archive could say.
    const deep = Array.from({ length: 12 }, (_, index) => `${'d'.repeat(60)}${index}`).join('/')
    shell(original, `mkdir -p '${deep}'; printf deep > '${deep}/${'f'.repeat(250)}'; mkdir plain; chmod 751 .; chown 3:4 .`)
    createFiles().setXattr(original, 'user.root', Buffer.from('of the root directory'))
    shell(original, `touch -d '2011-11-11 11:11:11.111111111' .`)
  })
  after(() => undo.disposeAsync())

  it('is the same after import, push, removal, pull and export', () => {
    const image = `${registry.domain}/tree:1`
    const archive = join(engine.directory, 'tree.tar')
    shell(original, `tar --format=posix --sparse ${TAR_OPTIONS} -cf ${archive} .`)
    const id = engine.mustDocker('import', archive, image)
    engine.mustDocker('push', image)
    engine.mustDocker('rmi', image)
    assert.equal(engine.docker(['inspect', image]).status, 1)
    engine.mustDocker('pull', image)
    assert.equal(engine.mustDocker('inspect', '--format', '{{.Id}}', image), id)
    assertSame(layerOf(image))
    // A container's root directory is its own, as with Docker.
    assert.deepEqual(exported(image).slice(1), listTree(original).slice(1))
  })

  it('is the same after save and load', () => {
    const image = `${registry.domain}/tree:1`
    const archive = join(engine.directory, 'saved.tar')
    engine.mustDocker('save', '-o', archive, image)
    const before = engine.mustDocker('inspect', '--format', '{{.RepoDigests}} {{.Descriptor.digest}}', image)
    engine.mustDocker('rmi', image)
    engine.mustDocker('load', '-i', archive)
    const digest = before.split(' ')[1]
    assert.equal(engine.mustDocker('inspect', '--format', '{{.Descriptor.digest}}', image), digest)
    assertSame(layerOf(image))
  })

  it('is the same after commit, without volumes and what the engine puts into every container', async () => {
    const made = `${registry.domain}/tree:committed`
    engine.loadStarter()
    engine.mustDocker('create', '--name', 'writer', '-v', '/data', 'starter', 'true')
    engine.mustDocker('start', '-a', 'writer')
    const archive = join(engine.directory, 'written.tar')
    shell(original, `tar --format=posix --sparse ${TAR_OPTIONS} -cf ${archive} --exclude=. *`)
    const { status, text } = await engine.request('PUT', '/containers/writer/archive?path=/&copyUIDGID=1', readFileSync(archive))
    assert.equal(status, 200, text)
    await engine.request('PUT', '/containers/writer/archive?path=/data', readFileSync(archive))
    engine.mustDocker('commit', '-a', 'me', '-c', 'ENV A=b', 'writer', made)
    engine.mustDocker('rm', '-v', 'writer')
    engine.mustDocker('push', made)
    engine.mustDocker('rmi', made)
    engine.mustDocker('pull', made)
    const [top = ''] = layersOf(made)
    // The mount point stays, as with Docker.
    const mountPoint = listTree(top).filter((line) => line.startsWith('/data'))
    assert.match(mountPoint.join('\n'), /^\/data 40755 0:0 time=\d+$/)
    assert.deepEqual(
      listTree(top)
        .slice(1)
        .filter((line) => !line.startsWith('/data')),
      listTree(original).slice(1),
    )
    const [{ Author, Config }] = JSON.parse(engine.mustDocker('inspect', made))
    assert.deepEqual([Author, Config.Env], ['me', ['A=b']])
  })

  /** Directories of an image's layers, topmost first. */
  function layersOf(image: string): string[] {
    const [{ GraphDriver: driver }] = JSON.parse(engine.mustDocker('inspect', image))
    return [driver.Data.UpperDir, ...(driver.Data.LowerDir?.split(':') ?? [])]
  }

  function layerOf(image: string): string[] {
    const [layer = ''] = layersOf(image)
    return listTree(layer)
  }

  /** What `docker export` gives of a container that never ran, unpacked by GNU tar. */
  function exported(image: string): string[] {
    const directory = join(engine.directory, 'exported')
    mkdirSync(directory)
    engine.mustDocker('create', '--name', 'exported', image, 'none')
    const archive = join(engine.directory, 'exported.tar')
    engine.mustDocker('export', '-o', archive, 'exported')
    engine.mustDocker('rm', 'exported')
    shell(directory, `tar ${TAR_OPTIONS} -xpf ${archive}`)
    return listTree(directory).filter((line) => !INIT_PATHS.some((path) => new RegExp(`^${path}(/| )`).test(line)))
  }

  function assertSame(found: string[]): void {
    assert.deepEqual(found, listTree(original))
  }
})
