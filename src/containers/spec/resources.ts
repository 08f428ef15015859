/** Limits of a container's record as the OCI resources section. Source: moby daemon/daemon_unix.go, getMemoryResources and neighbours. */

import type { ResourcesSpec, ThrottleDevice } from '#oci'
import { invalidArgument } from '#errors'
import type { Resources, ThrottleRequest } from '../configuration.ts'
import type { HostFacts } from './spec-input.ts'

const NANO = 1e9
/** Microseconds: what `--cpus` is a share of. */
const CPUS_PERIOD = 100_000

/** Everything but devices, which depend on more than the limits. Zero means "not set" in the record and is left out here. */
export function resources(limits: Resources, host: Pick<HostFacts, 'devicesAt'>): ResourcesSpec {
  const pids = pidsLimit(limits.pidsLimit)
  return {
    memory: memory(limits),
    cpu: cpu(limits),
    ...(pids !== undefined && { pids }),
    blockIO: blockIO(limits, host),
  }
}

function memory(limits: Resources): NonNullable<ResourcesSpec['memory']> {
  return {
    ...(limits.memory > 0 && { limit: limits.memory }),
    ...(limits.memoryReservation > 0 && { reservation: limits.memoryReservation }),
    ...(limits.memorySwap !== 0 && { swap: limits.memorySwap }),
    // -1 is the old way to say "the kernel's default".
    ...(limits.memorySwappiness !== undefined && limits.memorySwappiness !== -1 && { swappiness: limits.memorySwappiness }),
    ...(limits.oomKillDisable !== undefined && { disableOOMKiller: limits.oomKillDisable }),
  }
}

function cpu(limits: Resources): NonNullable<ResourcesSpec['cpu']> {
  return {
    ...(limits.cpuShares !== 0 && { shares: limits.cpuShares }),
    ...(limits.nanoCpus > 0 && { period: CPUS_PERIOD, quota: Math.trunc((limits.nanoCpus * CPUS_PERIOD) / NANO) }),
    ...(limits.cpuPeriod !== 0 && { period: limits.cpuPeriod }),
    ...(limits.cpuQuota !== 0 && { quota: limits.cpuQuota }),
    ...(limits.cpuRealtimePeriod !== 0 && { realtimePeriod: limits.cpuRealtimePeriod }),
    ...(limits.cpuRealtimeRuntime !== 0 && { realtimeRuntime: limits.cpuRealtimeRuntime }),
    ...(limits.cpusetCpus !== '' && { cpus: limits.cpusetCpus }),
    ...(limits.cpusetMems !== '' && { mems: limits.cpusetMems }),
  }
}

/** 0 and negative numbers ask for no limit, which has to be written to undo one at an update. */
function pidsLimit(limit: number | undefined): ResourcesSpec['pids'] {
  if (limit === undefined) return undefined
  return { limit: limit <= 0 ? -1 : limit }
}

function blockIO(limits: Resources, host: Pick<HostFacts, 'devicesAt'>): NonNullable<ResourcesSpec['blockIO']> {
  const throttles = (requests: readonly ThrottleRequest[]): ThrottleDevice[] =>
    requests.map(({ path, rate }) => ({ ...blockDevice(path, host), rate }))
  return {
    ...(limits.blkioWeight !== 0 && { weight: limits.blkioWeight }),
    ...(limits.blkioWeightDevice.length > 0 && {
      weightDevice: limits.blkioWeightDevice.map(({ path, weight }) => ({ ...blockDevice(path, host), weight })),
    }),
    ...(limits.blkioDeviceReadBps.length > 0 && { throttleReadBpsDevice: throttles(limits.blkioDeviceReadBps) }),
    ...(limits.blkioDeviceWriteBps.length > 0 && { throttleWriteBpsDevice: throttles(limits.blkioDeviceWriteBps) }),
    ...(limits.blkioDeviceReadIOps.length > 0 && { throttleReadIOPSDevice: throttles(limits.blkioDeviceReadIOps) }),
    ...(limits.blkioDeviceWriteIOps.length > 0 && { throttleWriteIOPSDevice: throttles(limits.blkioDeviceWriteIOps) }),
  }
}

function blockDevice(path: string, host: Pick<HostFacts, 'devicesAt'>): { major: number; minor: number } {
  const [device] = host.devicesAt(path) ?? []
  if (device === undefined) throw invalidArgument(`stat ${path}: no such device`)
  return { major: device.major, minor: device.minor }
}
