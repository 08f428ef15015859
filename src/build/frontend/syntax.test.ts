import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BuildError } from '../build-error.ts'
import type { FrontendRequest } from '../types.ts'
import { fakeBuild, type FakeWorld } from './testing/fake-host.ts'

/** What images that are frontends were asked for. */
async function forwarded(dockerfile: string, world: FakeWorld): Promise<FrontendRequest[]> {
  const requests: FrontendRequest[] = []
  await fakeBuild(dockerfile, {
    ...world,
    async runImage(request) {
      requests.push(request)
      return { images: [], multiPlatform: false, metadata: {} }
    },
  })
  return requests
}

describe('solveDockerfile and createGateway', () => {
  test('stands for the image of BuildKit’s own frontend, and for no other', async () => {
    const ask = async (source: string) => await fakeBuild('FROM scratch\n', { frontend: 'gateway.v0', options: { source } })
    for (const source of ['docker/dockerfile:1.4', 'dockerfile.v0']) assert.equal((await ask(source)).result.images.length, 1)
    await assert.rejects(ask('other/lang'), { message: 'other/lang cannot be run' })
    await assert.rejects(ask(''), { code: 'INVALID_ARGUMENT', message: 'no source specified for gateway' })
  })

  test('forwards to the frontend of an argument before that of the Dockerfile', async () => {
    const own = { 'build-arg:BUILDKIT_SYNTAX': 'docker.io/docker/dockerfile-upstream:master' }
    for (const options of [own, { 'build-arg:BUILDKIT_SYNTAX': 'dockerfile.v0' }]) {
      assert.equal((await fakeBuild('# syntax=other/lang\nFROM scratch\n', { options })).result.images.length, 1)
    }
    const options = { 'build-arg:BUILDKIT_SYNTAX': 'other/lang:2 strict' }
    const [request] = await forwarded('# syntax=yet/another\nFROM scratch\n', { options })
    assert.deepEqual(request?.options, { ...options, source: 'other/lang:2', cmdline: 'other/lang:2 strict' })
  })

  test('forwards what another frontend is to read, questions and capabilities too', async () => {
    const options = { requestid: 'frontend.outline', 'frontend.caps': 'vendor.unheard+forward' }
    const [request] = await forwarded('# syntax=other/lang:1 strict\n{{ no Dockerfile }}\n', { options })
    assert.deepEqual(request?.options, { ...options, source: 'other/lang:1', cmdline: 'other/lang:1 strict' })
  })

  test('forwards nothing when it was chosen itself, and to the classic builder the line is a comment', async () => {
    for (const options of [{ cmdline: 'my/dockerfile' }, { 'gantry.history': 'classic' }]) {
      assert.equal((await fakeBuild('# syntax=other/lang\nFROM scratch\n', { options })).result.images.length, 1)
    }
  })

  test('gives an image of its own frontend away when the client has something else for it', async () => {
    const options = { 'context:docker/dockerfile:1': 'docker-image://my/dockerfile' }
    const [request] = await forwarded('# syntax=docker/dockerfile:1\nFROM scratch\n', { options })
    assert.equal(request?.options['source'], 'docker/dockerfile:1')
  })

  test('says which line or argument asked for a frontend that fails', async () => {
    await assert.rejects(fakeBuild('# escape=`\n# syntax=other/lang\nFROM scratch\n'), ({ message, source }: BuildError) => {
      assert.equal(message, 'other/lang cannot be run')
      return source?.start === 2 && source.end === 2
    })
    await assert.rejects(fakeBuild('FROM scratch\n', { options: { 'build-arg:BUILDKIT_SYNTAX': 'other/lang' } }), {
      message: 'failed with build-arg:BUILDKIT_SYNTAX = other/lang: other/lang cannot be run',
    })
  })
})
