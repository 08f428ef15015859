import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface LayoutDescriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { os: string; architecture: string; variant?: string }
  annotations?: Record<string, string>
}

const OCI = 'application/vnd.oci.image'

/**
 * Writes images as an OCI layout, for skopeo to bring to a registry as they are. Written apart from the engine's own codecs, so that one checks the
 * other.
 */
export class OciLayout {
  readonly directory: string
  readonly #named: LayoutDescriptor[] = []

  constructor(directory: string) {
    this.directory = directory
    mkdirSync(join(directory, 'blobs/sha256'), { recursive: true })
    writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  }

  add(mediaType: string, bytes: Buffer): LayoutDescriptor {
    const digest = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(this.directory, 'blobs/sha256', digest), bytes)
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
  }

  /** An image of layers as they are sent: what is in them, the bytes, and the end of their media type (`tar+gzip`). */
  addImage(
    layers: readonly { tar: Buffer; bytes: Buffer; type: string }[],
    members: { architecture?: string; config?: object } = {},
  ): LayoutDescriptor {
    const { architecture = 'amd64', config = {} } = members
    const diffIds = layers.map(({ tar }) => `sha256:${createHash('sha256').update(tar).digest('hex')}`)
    const file = { architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: diffIds }, history: [] }
    const manifest = {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: this.add(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(file))),
      layers: layers.map(({ bytes, type }) => this.add(`${OCI}.layer.v1.${type}`, bytes)),
      // A field that nobody knows has to come through unchanged: it is part of the digest.
      'x-unknown': { kept: true },
    }
    return this.add(`${OCI}.manifest.v1+json`, Buffer.from(JSON.stringify(manifest, null, 1)))
  }

  addIndex(manifests: readonly LayoutDescriptor[]): LayoutDescriptor {
    const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests }
    return this.add(`${OCI}.index.v1+json`, Buffer.from(JSON.stringify(index)))
  }

  /** Gives a manifest or index a name inside the layout: skopeo finds it as `oci:<directory>:<name>`. */
  name(name: string, descriptor: LayoutDescriptor): void {
    this.#named.push({ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } })
    writeFileSync(join(this.directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: this.#named }))
  }
}
