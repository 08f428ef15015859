import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { digestOf, MEDIA_TYPES, parseReference } from '#oci'
import { hostAt, startServer } from '../testing/fake-server.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { remotesAt } from '../testing/remotes-at.ts'

const NAME = parseReference('registry.example/a/b')
const SUBJECT = digestOf('subject')
const SIGNATURE = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('signature'), size: 9 }

function registry(routes: Record<string, RequestListener>): Promise<FakeServer> {
  return startServer((request, response) => {
    const listener = routes[request.url ?? '']
    if (listener === undefined) response.writeHead(request.url === '/v2/' ? 200 : 404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
    else listener(request, response)
  })
}

const page =
  (body: object, link?: string): RequestListener =>
  (_, response) =>
    void response.writeHead(200, link === undefined ? {} : { link }).end(JSON.stringify(body))

async function tags(server: FakeServer): Promise<string[]> {
  await using remotes = remotesAt([hostAt(server.url)])
  return await Array.fromAsync(remotes.repository(NAME, 'pull').tags())
}

async function referrers(server: FakeServer, artifactType?: string): Promise<unknown[]> {
  await using remotes = remotesAt([hostAt(server.url)])
  return await remotes.repository(NAME, 'pull').referrers(SUBJECT, artifactType === undefined ? {} : { artifactType })
}

describe('tags', () => {
  it('follows links, relative ones and those with several parameters', async () => {
    await using server = await registry({
      '/v2/a/b/tags/list': page({ tags: ['1', '2'] }, '</v2/a/b/tags/list?last=2>; rel="next"'),
      '/v2/a/b/tags/list?last=2': page({ tags: ['3'] }, '<list?last=1>; rel="prev", <list?last=3>; title="x"; rel=next'),
      '/v2/a/b/tags/list?last=3': page({ tags: ['4'] }),
    })
    assert.deepEqual(await tags(server), ['1', '2', '3', '4'])
  })

  it('does not follow a link to another server', async () => {
    await using elsewhere = await registry({ '/next': page({ tags: ['theirs'] }) })
    await using server = await registry({ '/v2/a/b/tags/list': page({ tags: ['1'] }, `<${elsewhere.url}/next>; rel="next"`) })
    assert.deepEqual(await tags(server), ['1'])
    assert.deepEqual(elsewhere.lines(), [])
  })

  it('takes null for none, and nothing that is no list of tags', async () => {
    await using none = await registry({ '/v2/a/b/tags/list': page({ tags: null }) })
    assert.deepEqual(await tags(none), [])
    for (const tag of [1, '', '../../x', 'a/b', 'a\n', '\u001b]0;x', 't'.repeat(129)]) {
      await using odd = await registry({ '/v2/a/b/tags/list': page({ tags: ['1', tag] }) })
      await assert.rejects(tags(odd), { code: 'INVALID_ARGUMENT' })
    }
  })
})

describe('referrers', () => {
  const index = {
    schemaVersion: 2,
    manifests: [
      { ...SIGNATURE, artifactType: 'a/signature' },
      { ...SIGNATURE, artifactType: 'a/sbom' },
    ],
  }

  it('filters by type where the registry does not', async () => {
    await using server = await registry({
      [`/v2/a/b/referrers/${SUBJECT}?artifactType=a%2Fsbom`]: page(index),
      [`/v2/a/b/referrers/${SUBJECT}`]: page(index),
    })
    assert.deepEqual(await referrers(server, 'a/sbom'), [{ ...SIGNATURE, artifactType: 'a/sbom' }])
    assert.equal((await referrers(server)).length, 2)
  })

  it('reads the fallback tag where there is no such API, and finds none without it', async () => {
    const tag = `/v2/a/b/manifests/sha256-${SUBJECT.slice(7)}`
    await using server = await registry({ [tag]: page(index) })
    assert.equal((await referrers(server, 'a/signature')).length, 1)
    await using none = await registry({})
    assert.deepEqual(await referrers(none), [])
  })
})
