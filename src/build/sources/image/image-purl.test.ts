import assert from 'node:assert/strict'
import { it } from 'node:test'
import { digestOf, parseReference } from '#oci'
import { imagePurl } from './image-purl.ts'

it('imagePurl names image, tag and platform', () => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' }
  const digest = digestOf(Buffer.from('x'))
  const names: [string, string][] = [
    ['alpine', 'pkg:docker/alpine@latest?platform=linux%2Farm%2Fv7'],
    ['me/app:1.0', 'pkg:docker/me/app@1.0?platform=linux%2Farm%2Fv7'],
    [`registry:5000/app:1@${digest}`, 'pkg:docker/registry%3A5000/app@1?platform=linux%2Farm%2Fv7'],
    [`alpine@${digest}`, `pkg:docker/alpine?digest=${encodeURIComponent(digest)}&platform=linux%2Farm%2Fv7`],
  ]
  for (const [name, purl] of names) assert.equal(imagePurl('docker', parseReference(name), platform), purl)
})
