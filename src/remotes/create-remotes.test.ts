import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf, parseReference } from '#oci'
import { selfSigned } from './testing/certificates.ts'
import { hostAt, startServer } from './testing/fake-server.ts'
import { remotesAt } from './testing/remotes-at.ts'

const NAME = parseReference('registry.example/a/b:1')
const DIGEST = digestOf(Buffer.from('blob'))

describe('repository with `insecure`', () => {
  it('takes a registry whose certificate nobody knows, this time only', async () => {
    await using server = await startServer((_, response) => void response.writeHead(200, { 'content-length': 4 }).end(), selfSigned())
    await using remotes = remotesAt([hostAt(server.url)])
    await assert.rejects(remotes.repository(NAME, 'pull').hasBlob(DIGEST), /certificate signed by unknown authority/)
    assert.equal(await remotes.repository(NAME, 'pull', { insecure: true }).hasBlob(DIGEST), true)
    await assert.rejects(remotes.repository(NAME, 'pull').hasBlob(DIGEST), /certificate signed by unknown authority/)
  })

  it('takes a registry without TLS', async () => {
    await using server = await startServer((_, response) => void response.writeHead(200, { 'content-length': 4 }).end())
    await using remotes = remotesAt([hostAt(`https://${server.domain}`)])
    await assert.rejects(remotes.repository(NAME, 'pull').hasBlob(DIGEST), /server gave HTTP response to HTTPS client/)
    assert.equal(await remotes.repository(NAME, 'pull', { insecure: true }).hasBlob(DIGEST), true)
  })
})
