import type { SystemInfo } from '#api'
import { bytesSize } from '#lib'

/** The server part of `docker info`: one indented line a fact; what the daemon does not say is left out. */
export function serverInfoText(info: SystemInfo, options: { debug: boolean; userName: string }): string {
  const lines: string[] = []
  const line = (name: string, value: string | number | boolean): void => void lines.push(` ${name}: ${value}`)
  const optional = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') line(name, value)
  }
  const items = (title: string, values: readonly string[] | null | undefined): void => {
    if (values === null || values === undefined || values.length === 0) return
    lines.push(` ${title}:`, ...values.map((value) => `  ${value}`))
  }

  line('Containers', info.Containers)
  lines.push(`  Running: ${info.ContainersRunning}`, `  Paused: ${info.ContainersPaused}`, `  Stopped: ${info.ContainersStopped}`)
  line('Images', info.Images)
  optional('Server Version', info.ServerVersion)
  optional('Storage Driver', info.Driver)
  for (const [name, value] of info.DriverStatus ?? []) lines.push(`  ${name}: ${value}`)
  optional('Logging Driver', info.LoggingDriver)
  optional('Cgroup Driver', info.CgroupDriver)
  optional('Cgroup Version', info.CgroupVersion)
  lines.push(' Plugins:', `  Volume: ${names(info.Plugins.Volume)}`, `  Network: ${names(info.Plugins.Network)}`)
  if ((info.Plugins.Authorization ?? []).length > 0) lines.push(`  Authorization: ${names(info.Plugins.Authorization)}`)
  lines.push(`  Log: ${names(info.Plugins.Log)}`)
  items('CDI spec directories', info.CDISpecDirs)
  items(
    'Discovered Devices',
    info.DiscoveredDevices?.map(({ Source, ID }) => `${Source}: ${ID}`),
  )
  line('Swarm', info.Swarm.LocalNodeState)
  if (Object.keys(info.Runtimes ?? {}).length > 0) {
    line('Runtimes', Object.keys(info.Runtimes).join(' '))
    line('Default Runtime', info.DefaultRuntime)
  }
  line('Init Binary', info.InitBinary)
  line('containerd version', info.ContainerdCommit.ID)
  line('runc version', info.RuncCommit.ID)
  line('init version', info.InitCommit.ID)
  lines.push(...securityLines(info.SecurityOptions))
  optional('Kernel Version', info.KernelVersion)
  optional('Operating System', info.OperatingSystem)
  optional('OSType', info.OSType)
  optional('Architecture', info.Architecture)
  line('CPUs', info.NCPU)
  line('Total Memory', bytesSize(info.MemTotal))
  optional('Name', info.Name)
  optional('ID', info.ID)
  line('Docker Root Dir', info.DockerRootDir)
  line('Debug Mode', info.Debug)
  if (info.Debug || options.debug) {
    lines.push(`  File Descriptors: ${info.NFd}`, `  Goroutines: ${info.NGoroutines}`)
    lines.push(`  System Time: ${info.SystemTime}`, `  EventsListeners: ${info.NEventsListener}`)
  }
  optional('HTTP Proxy', info.HttpProxy)
  optional('HTTPS Proxy', info.HttpsProxy)
  optional('No Proxy', info.NoProxy)
  optional('Username', options.userName)
  items('Labels', info.Labels)
  line('Experimental', info.ExperimentalBuild)
  lines.push(...registryLines(info))
  line('Live Restore Enabled', info.LiveRestoreEnabled)
  if ((info.DefaultAddressPools ?? []).length > 0) {
    lines.push(' Default Address Pools:', ...(info.DefaultAddressPools ?? []).map(({ Base, Size }) => `   Base: ${Base}, Size: ${Size}`))
  }
  return `${lines.join('\n')}\n\n`
}

function names(values: readonly string[] | null): string {
  return (values ?? []).join(' ')
}

/** `name=seccomp,profile=builtin` as two lines. */
function securityLines(options: readonly string[] | null): string[] {
  if (options === null || options.length === 0) return []
  const lines = [' Security Options:']
  for (const option of options) {
    const pairs = option.split(',').map((pair) => pair.split('='))
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option
    lines.push(`  ${name}`)
    for (const [key, value] of pairs) if (key === 'profile') lines.push(`   Profile: ${value}`)
  }
  return lines
}

function registryLines({ RegistryConfig: registry }: SystemInfo): string[] {
  if (registry === null || registry === undefined) return []
  const insecure = Object.values(registry.IndexConfigs ?? {}).flatMap(({ Secure, Name }) => (Secure ? [] : [`  ${Name}`]))
  const ranges = (registry.InsecureRegistryCIDRs ?? []).map((range) => `  ${range}`)
  const mirrors = (registry.Mirrors ?? []).map((mirror) => `  ${mirror}`)
  const known = Object.keys(registry.IndexConfigs ?? {}).length + ranges.length
  return [
    ...(known > 0 ? [' Insecure Registries:', ...insecure, ...ranges] : []),
    ...(mirrors.length > 0 ? [' Registry Mirrors:', ...mirrors] : []),
  ]
}
