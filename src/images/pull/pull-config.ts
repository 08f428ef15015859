import type { ContentStore, Lease } from '#content'
import { codeOf, invalidArgument } from '#errors'
import { decodeImageConfig, MAX_CONFIG_SIZE } from '#oci'
import type { Descriptor, Digest, ImageConfigFile } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { TransferContext, TransferTable } from './transfer-table.ts'

/** A config that was stored; `durable` resolves when it survives a loss of power. */
export interface TransferredConfig {
  durable: Promise<void>
}

export interface PullConfigDeps {
  content: ContentStore
  configs: TransferTable<TransferredConfig, never>
}

/** Makes a config be here, under the lease. It comes before the layers: it tells which of them are here, and whether the image is worth them. */
export async function pullConfig(
  { content, configs }: PullConfigDeps,
  descriptor: Descriptor,
  { repository, lease, signal }: { repository: Pick<RemoteRepository, 'fetchBlob'>; lease: Lease; signal: AbortSignal },
): Promise<TransferredConfig & { config: ImageConfigFile }> {
  const { digest, size } = descriptor
  const hold = (held: Digest): void => lease.hold(held)
  let durable = Promise.resolve()
  if (content.has(digest)) hold(digest)
  else ({ durable } = await configs.join(digest, transfer, { signal, hold, report: () => {} }))
  return { config: decodeImageConfig(content.readAll(digest, MAX_CONFIG_SIZE)), durable }

  async function transfer(context: TransferContext<never>): Promise<TransferredConfig> {
    using own = content.lease()
    try {
      await content.ingest(repository.fetchBlob(descriptor, { signal: context.signal }), {
        lease: own,
        digest,
        size,
        signal: context.signal,
      })
    } catch (error) {
      throw codeOf(error) === 'INVALID_ARGUMENT' ? unverified(digest, error) : error
    }
    context.hold(digest)
    const synced = own.durable()
    synced.catch(() => {}) // reported where it is waited for
    return { durable: synced }
  }
}

/** Docker's words for a config that is not what the manifest promises. */
function unverified(digest: Digest, cause: unknown): Error {
  return invalidArgument(`error pulling image configuration: image config verification failed for digest ${digest}`, cause)
}
