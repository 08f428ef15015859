import type { BuildDevice, BuildService, CollectionRule } from '#build'
import type { MessageInitShape, worker } from '#grpc'

export interface WorkerFacts {
  /** The engine's id. */
  id: string
  hostname: string
  version: string
  revision: string
  /** What `--add-host x:host-gateway` becomes; empty: nothing. */
  hostGatewayIps: () => readonly string[]
}

type WorkerRecord = MessageInitShape<typeof worker.WorkerRecordSchema>

const LABEL = 'org.mobyproject.buildkit.worker.'

/**
 * The one builder there is. With the label `snapshotter`, which dockerd has with its containerd store, buildx builds for several platforms at once, exports
 * archives and caches, and has the builder push. `devices`: for those who list workers.
 */
export function workerRecord(facts: WorkerFacts, builds: BuildService, devices: readonly BuildDevice[] = []): WorkerRecord {
  const { id, hostname, version, revision, hostGatewayIps } = facts
  const gateways = hostGatewayIps()
  return {
    id,
    labels: {
      [`${LABEL}executor`]: 'gantry',
      [`${LABEL}hostname`]: hostname,
      [`${LABEL}snapshotter`]: 'overlayfs',
      ...(gateways.length > 0 && { [`${LABEL}moby.host-gateway-ip`]: gateways.join(',') }),
    },
    platforms: builds.platforms().map(({ os, architecture, variant = '' }) => ({ os, architecture, variant })),
    gcPolicy: builds.collectionRules.map(policy),
    buildkitVersion: buildkitVersion(version, revision),
    cdiDevices: devices.map(({ name, autoAllow, annotations }) => ({ name, autoAllow, annotations: { ...annotations } })),
  }
}

/** Workers as Go's frontends read them from a variable: JSON of structs, not of protocol buffers. Source: moby/buildkit client/workers.go. */
export function workersJson(facts: WorkerFacts, builds: BuildService): string {
  const { gcPolicy = [], ...record } = workerRecord(facts, builds)
  const collected = gcPolicy.map(({ filters, ...rule }) => ({ ...rule, filter: filters }))
  return JSON.stringify([{ ...record, gcPolicy: collected }], (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
}

/** Clients that see the suffix know that this is an engine's builder, not one of its own. */
export function buildkitVersion(version: string, revision: string): MessageInitShape<typeof worker.BuildkitVersionSchema> {
  return { package: 'gantry', version: `v${version}-moby`, revision }
}

function policy(rule: CollectionRule): MessageInitShape<typeof worker.GCPolicySchema> {
  const { all, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace, filters } = rule
  return {
    all,
    keepDuration: BigInt(keepDuration) * 1_000_000n,
    reservedSpace: BigInt(reservedSpace),
    maxUsedSpace: BigInt(maxUsedSpace),
    minFreeSpace: BigInt(minFreeSpace),
    filters: Object.entries(filters).flatMap(([name, values]) => values.map((value) => `${name}==${value}`)),
  }
}
