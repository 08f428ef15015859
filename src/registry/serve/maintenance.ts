import type { RegistryConfig } from '../config/registry-config.ts'
import { repeat } from '../gc/schedule.ts'
import type { CollectOptions, Collector, CollectReport } from '../gc/types.ts'
import type { RegistryLog } from '../types.ts'

/** How often files are looked at that others renew. */
const TLS_INTERVAL = 10_000
const HOUR = 3600e3

export interface MaintenanceDeps {
  config: RegistryConfig
  collector: Collector
  collect: (options: Pick<CollectOptions, 'deleteUntagged' | 'dryRun' | 'signal'>) => Promise<CollectReport>
  grace: number
  reloadTls: () => Promise<void>
  log: RegistryLog
}

/** What a server does by itself, again and again. Disposing ends what is under way and waits for it. */
export function startMaintenance({ config, collector, collect, grace, reloadTls, log }: MaintenanceDeps): AsyncDisposable {
  const owned = new AsyncDisposableStack()
  const { readOnly, uploadPurging, garbageCollection } = config.storage
  const every = (interval: number, what: string, work: (signal: AbortSignal) => Promise<void>): void => {
    owned.use(repeat(interval, work, (error) => log.error(`${what} failed`, error)))
  }

  if (config.http.tls !== undefined) every(TLS_INTERVAL, 'reading the certificates', reloadTls)
  if (readOnly) return owned
  if (uploadPurging !== undefined) {
    const { interval, age, dryRun } = uploadPurging
    every(interval, 'purging uploads', async () => {
      await collector.purgeUploads({ before: Date.now() - age, dryRun, log })
    })
  }
  if (garbageCollection.interval !== undefined) {
    every(garbageCollection.interval, 'the garbage collection', async (signal) => {
      const report = await collect({ deleteUntagged: garbageCollection.deleteUntagged, dryRun: false, signal })
      log.info('garbage collection is done', { ...report })
    })
  }
  const ttl = config.proxy?.ttl ?? 0
  if (ttl > 0) {
    every(Math.min(ttl / 2, HOUR), 'removing what nobody asked for', async (signal) => {
      const report = await collector.collect({ deleteUntagged: false, dryRun: false, grace, expireAfter: ttl, signal })
      if (report.deletedManifests + report.deletedBlobs > 0) log.info('content that nobody asked for was removed', { ...report })
    })
  }
  return owned
}
