import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

function digestOf(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** A client over HTTP that pushes small images as Docker does: it asks for each blob, uploads what is missing, then the manifest. */
export class RegistryPusher {
  readonly #base: string

  /** `base`: `http://127.0.0.1:5000/v2/team/app`. */
  constructor(base: string) {
    this.#base = base
  }

  /** Resolves when all of it was acknowledged. */
  async push(tag: string, layers: readonly string[]): Promise<void> {
    const blobs = []
    for (const content of ['{}', ...layers])
      blobs.push({ mediaType: 'application/octet-stream', digest: await this.#blob(content), size: content.length })
    const [config, ...rest] = blobs
    const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: rest })
    const { status, text } = await this.#send('PUT', `/manifests/${tag}`, body, { 'Content-Type': MANIFEST })
    assert.equal(status, 201, `${tag}: ${text}`)
  }

  /** Fetches an image and all it names. */
  async verify(tag: string): Promise<void> {
    const manifest = await this.#send('GET', `/manifests/${tag}`)
    assert.equal(manifest.status, 200, `${tag} is gone`)
    const { config, layers } = JSON.parse(manifest.text) as { config: { digest: string }; layers: { digest: string }[] }
    for (const { digest } of [config, ...layers]) {
      const blob = await this.#send('GET', `/blobs/${digest}`)
      assert.equal(blob.status, 200, `${tag}: blob ${digest} is gone`)
      assert.equal(digestOf(blob.text), digest)
    }
  }

  async #blob(content: string): Promise<string> {
    const digest = digestOf(content)
    if ((await this.#send('HEAD', `/blobs/${digest}`)).status === 200) return digest
    const { status, text } = await this.#send('POST', `/blobs/uploads/?digest=${digest}`, content)
    assert.equal(status, 201, text)
    return digest
  }

  async #send(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(this.#base + path, { method, headers, ...(body !== undefined && { body }) })
    return { status: response.status, text: await response.text() }
  }
}
