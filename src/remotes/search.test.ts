import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostAt, startServer } from './testing/fake-server.ts'
import { remotesAt } from './testing/remotes-at.ts'
import type { SearchResult } from './types.ts'

const FOUND = { name: 'a/b', description: 'd', star_count: 3, is_official: true, is_automated: true, more: 1 }

async function searched(url: string, term: string, limit = 25): Promise<SearchResult[]> {
  await using remotes = remotesAt([hostAt(url)])
  return await remotes.search(term, { limit })
}

describe('search', () => {
  it('asks the index of a registry, and takes results for what they are', async () => {
    await using server = await startServer(
      (_, response) => void response.end(JSON.stringify({ results: [FOUND, { name: 5 }, null, { name: 'c' }] })),
    )
    assert.deepEqual(await searched(server.url, 'localhost:5000/x y'), [
      { name: 'a/b', description: 'd', stars: 3, isOfficial: true, isAutomated: false },
      { name: 'c', description: '', stars: 0, isOfficial: false, isAutomated: false },
    ])
    assert.deepEqual(server.lines(), ['GET /v2/', 'GET /v1/search?q=x+y&n=25'])
    assert.equal((await searched(server.url, 'localhost/x', 1)).length, 1)
  })

  it('refuses terms and limits that make no sense', async () => {
    await assert.rejects(searched('http://127.0.0.1:1', 'https://a/b'), {
      code: 'INVALID_ARGUMENT',
      message: 'invalid repository name: repository name (https://a/b) should not have a scheme',
    })
    await assert.rejects(searched('http://127.0.0.1:1', 'a', 101), { message: 'limit 101 is outside the range of [1, 100]' })
  })

  it('tells what the registry answers, and how to name one that is insecure', async () => {
    await using server = await startServer((_, response) => void response.writeHead(404).end())
    await assert.rejects(searched(server.url, 'localhost/x'), { message: 'unexpected status code 404' })
    await using odd = await startServer((_, response) => void response.end('<html>'))
    await assert.rejects(searched(odd.url, 'localhost/x'), { message: /^error decoding registry search results: / })
    await assert.rejects(searched('http://127.0.0.1:1', 'r.example/x'), {
      code: 'INVALID_ARGUMENT',
      message:
        /^invalid registry endpoint https:\/\/r\.example\/v1\/: Get .* add `--insecure-registry r\.example` to the daemon's arguments\./,
    })
  })
})
