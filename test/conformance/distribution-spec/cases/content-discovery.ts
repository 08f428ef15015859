import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES, type Digest } from '#oci'
import { section, type Case } from '../case.ts'
import { assertRefused, json, type Answer, type Descriptor, type RegistryClient } from '../registry-client.ts'

const SBOM = 'application/vnd.example.sbom'
const SIGNATURE = 'application/vnd.example.signature'

/** The target of `Link: <…>; rel="next"`, or undefined. */
function nextPage(answer: Answer): string | undefined {
  const link = [answer.headers.link].flat()[0]
  return link === undefined ? undefined : /^<([^>]+)>;\s*rel="?next"?/.exec(link)?.[1]
}

async function pushTags(client: RegistryClient, tags: readonly string[]): Promise<string> {
  const name = client.newName()
  const image = await client.prepareImage(name)
  for (const tag of tags) await client.pushManifest(name, tag, image)
  return name
}

async function tagsOf(client: RegistryClient, name: string, query = ''): Promise<string[]> {
  return json(await client.send('GET', `/v2/${name}/tags/list${query}`)).tags ?? []
}

async function referrers(client: RegistryClient, name: string, digest: Digest, query = ''): Promise<{ answer: Answer; manifests: any[] }> {
  const answer = await client.send('GET', `/v2/${name}/referrers/${digest}${query}`)
  assert.equal(answer.status, 200)
  return { answer, manifests: json(answer).manifests }
}

/** An image with a subject, an artifact type and an annotation. */
async function pushReferrer(client: RegistryClient, name: string, subject: Descriptor, artifactType: string): Promise<Descriptor> {
  const manifest = JSON.stringify(await client.prepareImage(name, { subject, artifactType, annotations: { made: 'by a test' } }))
  return await client.pushManifest(name, digestOf(manifest), manifest)
}

export const CONTENT_DISCOVERY_CASES: Case[] = [
  ...section('Listing Tags (end-8a)', {
    'GET gives the name and all tags in lexical order': async (client) => {
      const name = await pushTags(client, ['v2', 'latest', 'v10', 'v1', '0.1', '_x', 'a-b', 'a'])
      const answer = await client.send('GET', `/v2/${name}/tags/list`)
      assert.equal(answer.status, 200)
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
      assert.deepEqual(json(answer), { name, tags: ['0.1', '_x', 'a', 'a-b', 'latest', 'v1', 'v10', 'v2'] })
    },
    'GET for an unknown repository answers 404': async (client) => {
      assertRefused(await client.send('GET', `/v2/${client.newName()}/tags/list`), 404, 'NAME_UNKNOWN')
    },
    'GET gives a tag that was moved once': async (client) => {
      const name = await pushTags(client, ['v1'])
      await client.pushImage(name, 'v1')
      assert.deepEqual(await tagsOf(client, name), ['v1'])
    },
    'GET for a repository with blobs and no tags gives an empty list or 404': async (client) => {
      const name = client.newName()
      await client.pushBlob(name, 'x')
      const answer = await client.send('GET', `/v2/${name}/tags/list`)
      if (answer.status === 200) assert.deepEqual(json(answer).tags ?? [], [])
      else assertRefused(answer, 404, 'NAME_UNKNOWN')
    },
    'tags of repositories below are not listed': async (client) => {
      const name = await pushTags(client, ['v1'])
      await client.pushImage(`${name}/below`, 'v2')
      assert.deepEqual(await tagsOf(client, name), ['v1'])
    },
  }),

  ...section('Listing Tags with n and last (end-8b)', {
    'n limits the list': async (client) => {
      const name = await pushTags(client, ['a', 'b', 'c', 'd'])
      assert.deepEqual(await tagsOf(client, name, '?n=2'), ['a', 'b'])
    },
    'n=0 gives an empty list without a Link': async (client) => {
      const name = await pushTags(client, ['a', 'b'])
      const answer = await client.send('GET', `/v2/${name}/tags/list?n=0`)
      assert.equal(answer.status, 200)
      assert.deepEqual(json(answer).tags ?? [], [])
      assert.equal(answer.headers.link, undefined)
    },
    'last gives what comes behind it': async (client) => {
      const name = await pushTags(client, ['a', 'b', 'c', 'd'])
      assert.deepEqual(await tagsOf(client, name, '?n=10&last=b'), ['c', 'd'])
      assert.deepEqual(await tagsOf(client, name, '?n=1&last=b'), ['c'])
    },
    'last without n gives all that comes behind it': async (client) => {
      const name = await pushTags(client, ['a', 'b', 'c'])
      assert.deepEqual(await tagsOf(client, name, '?last=a'), ['b', 'c'])
    },
    'last need not be a tag': async (client) => {
      const name = await pushTags(client, ['a', 'c'])
      assert.deepEqual(await tagsOf(client, name, '?n=10&last=b'), ['c'])
    },
    'Link leads through all tags, each once': async (client) => {
      const tags = Array.from({ length: 7 }, (_, index) => `t${index}`)
      const name = await pushTags(client, tags)
      const seen: string[] = []
      let page: string | undefined = `/v2/${name}/tags/list?n=3`
      while (page !== undefined) {
        const answer: Answer = await client.send('GET', page)
        seen.push(...json(answer).tags)
        page = nextPage(answer)
        assert.ok(seen.length <= tags.length)
      }
      assert.deepEqual(seen, tags)
    },
    'the last page has no Link': async (client) => {
      const name = await pushTags(client, ['a', 'b'])
      assert.equal(nextPage(await client.send('GET', `/v2/${name}/tags/list?n=2`)), undefined)
    },
    'an n that is no number is refused': async (client) => {
      const name = await pushTags(client, ['a'])
      for (const n of ['x', '-1', '1.5']) {
        assertRefused(await client.send('GET', `/v2/${name}/tags/list?n=${n}`), 400, ['PAGINATION_NUMBER_INVALID', 'UNSUPPORTED'])
      }
    },
  }),

  ...section('Listing Referrers (end-12a)', {
    'GET gives an index with a descriptor of each referrer': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const { digest, size } = await pushReferrer(client, name, subject, SBOM)
      const { answer, manifests } = await referrers(client, name, subject.digest)
      assert.equal(answer.headers['content-type'], MEDIA_TYPES.ociIndex)
      assert.equal(json(answer).schemaVersion, 2)
      assert.equal(json(answer).mediaType, MEDIA_TYPES.ociIndex)
      assert.deepEqual(manifests, [
        { mediaType: MEDIA_TYPES.ociManifest, digest, size, artifactType: SBOM, annotations: { made: 'by a test' } },
      ])
    },
    'GET for a manifest without referrers gives an empty index': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      assert.deepEqual((await referrers(client, name, subject.digest)).manifests, [])
    },
    'GET for an unknown digest gives an empty index': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assert.deepEqual((await referrers(client, name, digestOf('unknown'))).manifests, [])
    },
    'GET for a digest that is none answers 400': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assert.equal((await client.send('GET', `/v2/${name}/referrers/nonsense`)).status, 400)
    },
    'the artifact type is the config’s media type where the manifest has none': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      await client.pushImage(name, 'x', { subject })
      assert.equal((await referrers(client, name, subject.digest)).manifests[0].artifactType, MEDIA_TYPES.ociConfig)
    },
    'an index with a subject is a referrer': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, artifactType: SBOM, manifests: [], subject }
      const { digest } = await client.pushManifest(name, 'x', index, MEDIA_TYPES.ociIndex)
      const { manifests } = await referrers(client, name, subject.digest)
      assert.deepEqual([manifests[0].digest, manifests[0].mediaType, manifests[0].artifactType], [digest, MEDIA_TYPES.ociIndex, SBOM])
    },
    'a referrer that was pushed before its subject is listed': async (client) => {
      const name = client.newName()
      const image = JSON.stringify(await client.prepareImage(name))
      const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(image), size: image.length }
      const { digest } = await pushReferrer(client, name, subject, SBOM)
      await client.pushManifest(name, 'v1', image)
      assert.deepEqual(
        (await referrers(client, name, subject.digest)).manifests.map((entry) => entry.digest),
        [digest],
      )
    },
    'a referrer that was pushed twice is listed once': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const manifest = await client.prepareImage(name, { subject })
      await client.pushManifest(name, 'x', manifest)
      await client.pushManifest(name, 'y', manifest)
      assert.equal((await referrers(client, name, subject.digest)).manifests.length, 1)
    },
    'referrers in another repository are not listed': async (client) => {
      const [name, other] = [client.newName(), client.newName()]
      const subject = await client.pushImage(name, 'v1')
      await pushReferrer(client, other, subject, SBOM)
      assert.deepEqual((await referrers(client, name, subject.digest)).manifests, [])
    },
    'a referrer that was deleted is not listed': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const { digest } = await pushReferrer(client, name, subject, SBOM)
      const kept = await pushReferrer(client, name, subject, SBOM)
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202)
      assert.deepEqual(
        (await referrers(client, name, subject.digest)).manifests.map((entry) => entry.digest),
        [kept.digest],
      )
    },
  }),

  ...section('Listing Referrers with artifactType (end-12b)', {
    'the filter gives the referrers of one type and says so': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const sbom = await pushReferrer(client, name, subject, SBOM)
      await pushReferrer(client, name, subject, SIGNATURE)
      const { answer, manifests } = await referrers(client, name, subject.digest, `?artifactType=${encodeURIComponent(SBOM)}`)
      assert.deepEqual(
        manifests.map((entry) => entry.digest),
        [sbom.digest],
      )
      assert.equal(answer.headers['oci-filters-applied'], 'artifactType')
    },
    'a filter that fits nothing gives an empty index': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      await pushReferrer(client, name, subject, SBOM)
      const { answer, manifests } = await referrers(client, name, subject.digest, '?artifactType=application/nothing')
      assert.deepEqual(manifests, [])
      assert.equal(answer.headers['oci-filters-applied'], 'artifactType')
    },
    'without a filter no filter is named': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      await pushReferrer(client, name, subject, SBOM)
      const { answer, manifests } = await referrers(client, name, subject.digest)
      assert.equal(manifests.length, 1)
      assert.equal(answer.headers['oci-filters-applied'], undefined)
    },
  }),

  ...section('docker-registry: Listing Repositories (_catalog)', {
    'GET leads through all repositories by n and Link': async (client) => {
      const pushed = [client.newName('catalog-a'), client.newName('catalog-b'), client.newName('catalog-b/below')]
      for (const name of pushed) await client.pushImage(name, 'v1')
      const seen: string[] = []
      let page: string | undefined = '/v2/_catalog?n=2'
      while (page !== undefined) {
        const answer: Answer = await client.send('GET', page)
        assert.equal(answer.status, 200)
        assert.ok(json(answer).repositories.length <= 2)
        seen.push(...json(answer).repositories)
        page = nextPage(answer)
      }
      assert.equal(new Set(seen).size, seen.length)
      assert.deepEqual(seen.filter((name) => pushed.includes(name)).sort(), pushed.sort())
    },
  }),
]
