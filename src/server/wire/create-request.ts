/** Body of `POST /containers/create`, with what older API versions asked for in another way. Source: moby `postContainersCreate`. */

import type { ApiVersion } from '#api'
import type { ContainerConfig, CreateRequest, HostConfig, MountRequest } from '#containers'
import { invalidArgument } from '#errors'
import type { EndpointRequest } from '#networks'
import { decodeBody, field, partial, struct, text, type StructCodec } from './codec.ts'
import { containerConfigFields } from './container-config.ts'
import { networkingConfig } from './endpoint.ts'
import { hostConfig } from './host-config.ts'
import { adoptInterfaceSysctls, adoptMacAddress, DEFAULT_NETWORK } from './main-endpoint.ts'

/** On the wire `Config` lies flat beside its two companions. */
type CreateBody = ContainerConfig & {
  macAddress: string
  hostConfig: Partial<HostConfig>
  networkingConfig: { endpoints: Record<string, EndpointRequest> }
}

const createBody: StructCodec<CreateBody> = struct<CreateBody>('container.CreateRequest', {
  ...containerConfigFields,
  macAddress: field('MacAddress', text, { until: 51 }),
  hostConfig: field('HostConfig', partial(hostConfig)),
  networkingConfig: field('NetworkingConfig', networkingConfig),
})

/** Throws INVALID_ARGUMENT. `warnings` belong in the answer, behind those of the domain. */
export function decodeCreateRequest(
  json: unknown,
  query: { name: string; platform: string },
  version: ApiVersion,
): { request: CreateRequest; warnings: string[] } {
  if (json === undefined || json === null) throw invalidArgument('invalid JSON: got EOF while reading request body')
  const { macAddress = '', hostConfig: host = {}, networkingConfig: networking, ...config } = decodeBody(createBody, json, version)
  const networks = networking?.endpoints ?? {}
  const warnings: string[] = []

  // `default` is the client's way of not having to know what the platform's default network is called.
  if (host.networkMode === undefined || host.networkMode === '' || host.networkMode === 'default') {
    host.networkMode = DEFAULT_NETWORK
    if (networks['default'] !== undefined) networks[DEFAULT_NETWORK] = networks['default']
    delete networks['default']
  }
  // CLI and daemon have two spellings of "not set": -1 here, and no positive number there.
  if (host.memorySwappiness === -1) delete host.memorySwappiness
  if (host.pidsLimit !== undefined && host.pidsLimit <= 0) delete host.pidsLimit
  if (version < 40) host.ipcMode ||= 'shareable'

  for (const mount of host.mounts ?? []) checkMount(mount, version)
  if (version < 44 && Object.keys(networks).length > 1) {
    throw invalidArgument(`Container cannot be created with multiple network endpoints: ${Object.keys(networks).join(', ')}`)
  }
  warnings.push(...adoptMacAddress(macAddress, host, networks, version))
  warnings.push(...adoptInterfaceSysctls(host, networks, version))
  warnings.push(...checkVolumeDriver(host, version))
  return { request: { ...query, config, hostConfig: host, networks }, warnings }
}

/** Options of another mount type: an error since 1.42, ignored before. */
function checkMount(mount: MountRequest, version: ApiVersion): void {
  const refuse = (message: string): never => {
    throw invalidArgument(message)
  }
  for (const [key, name] of [
    ['volume', 'VolumeOptions'],
    ['bind', 'BindOptions'],
    ['tmpfs', 'TmpfsOptions'],
  ] as const) {
    if (mount[key] === undefined || mount.type === key) continue
    if (version >= 42) refuse(`${name} must not be specified on mount type "${mount.type}"`)
    delete mount[key]
  }
  if (version < 44 && mount.type === 'bind') {
    if (mount.bind?.readOnlyForceRecursive) refuse('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer')
    // Before 1.44 a read-only bind was never recursive.
    mount.bind = {
      propagation: '',
      nonRecursive: false,
      createMountpoint: false,
      readOnlyForceRecursive: false,
      ...mount.bind,
      readOnlyNonRecursive: true,
    }
  }
  if (version < 45 && mount.volume?.subpath) refuse('VolumeOptions.Subpath needs API v1.45 or newer')
  if (version < 48 && mount.type === 'image') refuse('Mount type "Image" needs API v1.48 or newer')
}

function checkVolumeDriver(host: Partial<HostConfig>, version: ApiVersion): string[] {
  const isIgnored = host.mounts?.some((mount) => mount.type === 'volume' && !mount.volume?.driver) === true
  if (!host.volumeDriver || version < 48 || !isIgnored) return []
  return [
    "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
  ]
}
