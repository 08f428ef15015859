import { invalidArgument, notImplemented } from '#errors'
import { parseSignal } from '#kernel'
import type { ContainerDefaults } from './context.ts'
import type { ContainerConfig, Healthcheck, HostConfig, Resources } from './configuration.ts'

const MIB = 1024 * 1024
const MIN_MEMORY = 6 * MIB
const NANO = 1e9

/**
 * Checks what a client asked for, before anything is made; `host` is complete. Returns warnings; throws INVALID_ARGUMENT with Docker's text.
 * Source: moby daemon/container.go, daemon_unix.go and runconfig.
 */
export function verifyCreate(config: ContainerConfig, host: HostConfig, defaults: ContainerDefaults): string[] {
  if (config.entrypoint === null || config.entrypoint.length === 0) {
    if (config.cmd === null || config.cmd.length === 0) throw invalidArgument('no command specified')
  }
  if (config.workingDir !== '' && !config.workingDir.startsWith('/')) {
    throw invalidArgument(`the working directory '${config.workingDir}' is invalid, it needs to be an absolute path`)
  }
  for (const entry of config.env) if (entry === '' || entry.startsWith('=')) throw invalidArgument(`invalid environment variable: ${entry}`)
  if (config.stopSignal !== '') parseSignal(config.stopSignal)
  if (config.healthcheck !== undefined) verifyHealthcheck(config.healthcheck)
  verifyRestartPolicy(host)
  verifyModes(config, host)
  verifyResources(host, defaults.cpus)
  if (host.shmSize < 0) throw invalidArgument('SHM size can not be less than 0')
  if (host.oomScoreAdj < -1000 || host.oomScoreAdj > 1000) {
    throw invalidArgument(`Invalid value ${host.oomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  }
  if (!defaults.runtimes.includes(host.runtime)) throw invalidArgument(`unknown or invalid runtime name: ${host.runtime}`)
  refuseMissing(host)
  return networkOf(host) === 'host' && host.portBindings.length > 0 ? ['Published ports are discarded when using host network mode'] : []
}

function verifyHealthcheck(check: Healthcheck): void {
  const least = 1_000_000
  const times: [string, number][] = [
    ['Interval', check.interval],
    ['Timeout', check.timeout],
    ['StartPeriod', check.startPeriod],
    ['StartInterval', check.startInterval],
  ]
  for (const [name, value] of times) {
    if (value !== 0 && value < least) throw invalidArgument(`${name} in Healthcheck cannot be less than 1ms`)
  }
  if (check.retries < 0) throw invalidArgument('Retries in Healthcheck cannot be negative')
}

export function verifyRestartPolicy({ restartPolicy, autoRemove }: Pick<HostConfig, 'restartPolicy' | 'autoRemove'>): void {
  const { name, maximumRetryCount } = restartPolicy
  if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(name)) {
    throw invalidArgument(`invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`)
  }
  if (name !== 'on-failure' && maximumRetryCount !== 0) {
    const negative = maximumRetryCount < 0 ? ' and cannot be negative' : ''
    throw invalidArgument(`invalid restart policy: maximum retry count can only be used with 'on-failure'${negative}`)
  }
  if (maximumRetryCount < 0) throw invalidArgument('invalid restart policy: maximum retry count cannot be negative')
  if (autoRemove && name !== 'no') throw invalidArgument("can't create 'AutoRemove' container with restart policy")
}

/** Kind of network: `default` and `bridge` are one. */
export function networkOf(host: Pick<HostConfig, 'networkMode'>): string {
  return host.networkMode.startsWith('container:') ? 'container' : host.networkMode
}

function verifyModes(config: ContainerConfig, host: HostConfig): void {
  const network = networkOf(host)
  if (network === 'container') {
    if (host.networkMode === 'container:') throw invalidArgument('invalid container format container:<name|id>')
    const refuse = (given: boolean, what: string): void => {
      if (given) throw invalidArgument(`conflicting options: ${what} and the network mode`)
    }
    refuse(config.hostname !== '', 'hostname')
    if (host.links.length > 0) throw linksConflict('container type network')
    refuse(host.dns.length > 0, 'dns')
    refuse(host.extraHosts.length > 0, 'custom host-to-IP mapping')
    if (host.portBindings.length > 0 || host.publishAllPorts) {
      throw invalidArgument('conflicting options: port publishing and the container type network mode')
    }
    if (config.exposedPorts.length > 0) throw invalidArgument('conflicting options: port exposing and the container type network mode')
  }
  if (network === 'host' && host.links.length > 0) throw linksConflict('host type networking')
  if (host.utsMode === 'host' && config.hostname !== '') throw invalidArgument('conflicting options: hostname and the UTS mode')
  if (!/^(none|private|shareable|host|container:.+)$/.test(host.ipcMode)) throw invalidArgument(`invalid IPC mode: ${host.ipcMode}`)
  if (!/^(|host|container:.+)$/.test(host.pidMode)) throw invalidArgument(`invalid PID mode: ${host.pidMode}`)
  if (!['', 'host'].includes(host.utsMode)) throw invalidArgument(`invalid UTS mode: ${host.utsMode}`)
  if (!['private', 'host'].includes(host.cgroupnsMode)) throw invalidArgument(`invalid CGROUP mode: ${host.cgroupnsMode}`)
  if (!['', 'default'].includes(host.isolation))
    throw invalidArgument(`invalid isolation (${host.isolation}): linux only supports "default"`)
  for (const entry of host.extraHosts) {
    if (!/^[^:=]+[:=].+$/.test(entry)) throw invalidArgument(`bad format for add-host: "${entry}"`)
  }
}

/** The network of a container that has none of its own cannot be linked from or to. */
export function linksConflict(network: 'container type network' | 'host type networking'): Error {
  return invalidArgument(`conflicting options: ${network} can't be used with links. This would result in undefined behavior`)
}

type CheckedResources = Pick<
  Resources,
  'memory' | 'memorySwap' | 'memoryReservation' | 'memorySwappiness' | 'nanoCpus' | 'cpuPeriod' | 'cpuQuota' | 'blkioWeight'
>

/** Limits of create, update and build. */
export function verifyResources(limits: CheckedResources, cpus: number): void {
  const { memory, memorySwap, memoryReservation, memorySwappiness, nanoCpus, cpuPeriod, cpuQuota, blkioWeight } = limits
  if (memory !== 0 && memory < MIN_MEMORY) throw invalidArgument('Minimum memory limit allowed is 6MB')
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw invalidArgument('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (memory === 0 && memorySwap > 0) throw invalidArgument('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (memorySwappiness !== undefined && (memorySwappiness < -1 || memorySwappiness > 100)) {
    throw invalidArgument(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`)
  }
  if (memoryReservation > 0 && memoryReservation < MIN_MEMORY) throw invalidArgument('Minimum memory reservation allowed is 6MB')
  if (memory > 0 && memoryReservation > memory) {
    throw invalidArgument('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
  if (nanoCpus !== 0) {
    if (cpuPeriod !== 0) throw invalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set')
    if (cpuQuota !== 0) throw invalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
    if (nanoCpus < 0 || nanoCpus > cpus * NANO) {
      throw invalidArgument(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`)
    }
  }
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw invalidArgument('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  }
  if (cpuQuota > 0 && cpuQuota < 1000) throw invalidArgument('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000)) throw invalidArgument('Range of blkio weight is from 10 to 1000')
}

/** Docker has these, Gantry not yet. */
function refuseMissing(host: HostConfig): void {
  const refuse = (given: boolean, what: string): void => {
    if (given) throw notImplemented(`${what} is not supported yet`)
  }
  refuse(Object.keys(host.storageOpt).length > 0, 'HostConfig.StorageOpt (--storage-opt)')
  refuse(host.usernsMode !== '' && host.usernsMode !== 'host', `user namespace mode "${host.usernsMode}"`)
  refuse(host.cgroup !== '', 'HostConfig.Cgroup')
  refuse(host.cpuRealtimePeriod !== 0 || host.cpuRealtimeRuntime !== 0, 'CPU real-time scheduling (--cpu-rt-period, --cpu-rt-runtime)')
}
