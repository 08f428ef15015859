import type { RegistryConfig } from '../config/registry-config.ts'
import { createCollector } from '../gc/collector.ts'
import { askServer } from '../gc/control-socket.ts'
import type { CollectReport } from '../gc/types.ts'
import { createBlobKeeper } from '../repositories/blob-keeper.ts'
import { createRepositories } from '../repositories/repositories.ts'
import { collectPath, readCollect, type CollectRequest, type RemovedContent } from './collect-protocol.ts'
import { openStorage } from './open-storage.ts'

/**
 * `gantry registry garbage-collect`. A server that runs on the directory does the work, since pushes and collections have to meet in one process; without
 * one this process does it, and no server can start meanwhile. `print` gets lines for people.
 */
export async function collectCommand(config: RegistryConfig, wanted: CollectRequest, print: (line: string) => void): Promise<void> {
  const { backend } = config.storage
  const told = (what: RemovedContent): void => print(describe(what, wanted.dryRun))
  const answer = backend.kind === 'filesystem' ? await askServer(backend.root, 'POST', collectPath(wanted)) : undefined
  const report = answer === undefined ? await collectHere(config, wanted, told) : await readCollect(answer, told)
  print(
    `${report.deletedManifests} of ${report.manifests} manifests, ${report.deletedBlobs} of ${report.blobs} blobs ` +
      `${wanted.dryRun ? 'would be' : 'were'} removed: ${report.freed} bytes`,
  )
}

async function collectHere(
  config: RegistryConfig,
  wanted: CollectRequest,
  removed: (what: RemovedContent) => void,
): Promise<CollectReport> {
  await using opened = await openStorage(config.storage, (_request, response) => response.writeHead(503).end())
  const { storage, lock, minGrace } = opened
  const keeper = createBlobKeeper(storage)
  const repositories = createRepositories(storage, keeper)
  const grace = Math.max(config.storage.garbageCollection.grace, minGrace)
  return await createCollector({ storage, repositories, keeper, lock }).collect({ ...wanted, grace, removed })
}

function describe(what: RemovedContent, dryRun: boolean): string {
  const verb = dryRun ? 'would remove' : 'removed'
  return what.kind === 'manifest'
    ? `${verb} manifest ${what.repository}@${what.digest}`
    : `${verb} blob ${what.digest} (${what.size} bytes)`
}
