import type { CdiRegistry } from '#cdi'
import { codeOf, EngineError, invalidArgument } from '#errors'
import type { RuntimeSpec } from '#oci'
import type { DeviceRequest } from './configuration.ts'

/** What takes requests by capability: CDI devices of one kind. Source: moby daemon/devices_nvidia_linux.go and devices_amd_linux.go. */
interface GpuDriver {
  readonly name: string
  readonly kind: string
  readonly capabilities: ReadonlySet<string>
}

/** The first one that this machine has devices of takes what names no driver. */
const GPU_DRIVERS: readonly GpuDriver[] = [
  {
    name: 'nvidia',
    kind: 'nvidia.com/gpu',
    capabilities: new Set(['gpu', 'nvidia', 'compute', 'compat32', 'graphics', 'utility', 'video', 'display']),
  },
  { name: 'amd', kind: 'amd.com/gpu', capabilities: new Set(['gpu', 'amd']) },
]

/** More than any machine has. Attack: a count is a number of the client's, of which a list of names is made. */
const MAX_COUNT = 1024

type Devices = Pick<CdiRegistry, 'directories' | 'list' | 'inject'>

/** `spec` with the devices that a container asks for. Throws INVALID_ARGUMENT with dockerd's texts, NOT_IMPLEMENTED as the registry does. */
export async function injectDevices(devices: Devices, spec: RuntimeSpec, requests: readonly DeviceRequest[]): Promise<RuntimeSpec> {
  let edited = spec
  for (const request of requests) {
    const names = await deviceNames(devices, request)
    if (names.length > 0) edited = await inject(devices, edited, names)
  }
  return edited
}

async function inject(devices: Devices, spec: RuntimeSpec, names: readonly string[]): Promise<RuntimeSpec> {
  try {
    return await devices.inject(spec, names)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const code = codeOf(error) === 'NOT_IMPLEMENTED' ? 'NOT_IMPLEMENTED' : 'INVALID_ARGUMENT'
    throw new EngineError(code, `CDI device injection failed: ${error.message}`, { cause: error })
  }
}

/** Qualified names. */
async function deviceNames(devices: Devices, request: DeviceRequest): Promise<readonly string[]> {
  const { driver, count, deviceIds = [], options = {} } = request
  if (devices.directories.length === 0) throw noDriver(request)
  if (driver === 'cdi') {
    if (count !== 0) throw invalidArgument('unexpected count in CDI device request')
    if (Object.keys(options).length > 0) throw invalidArgument('unexpected options in CDI device request')
    return deviceIds
  }
  const { kind } = await findGpuDriver(devices, request)
  if (count !== 0 && deviceIds.length > 0) throw invalidArgument('cannot set both Count and DeviceIDs on device request')
  return gpuIds(request).map((id) => (id.includes('=') ? id : `${kind}=${id}`))
}

function gpuIds({ count, deviceIds = [] }: DeviceRequest): readonly string[] {
  if (count < 0) return ['all']
  return count > 0 ? Array.from({ length: Math.min(count, MAX_COUNT) }, (_, index) => String(index)) : deviceIds
}

async function findGpuDriver(devices: Devices, request: DeviceRequest): Promise<GpuDriver> {
  const known = await devices.list()
  const present = GPU_DRIVERS.filter(({ kind }) => known.some(({ name }) => name.startsWith(`${kind}=`)))
  const found = present.find((driver) => (request.driver === '' || request.driver === driver.name) && hasCapabilities(driver, request))
  if (found === undefined) throw noDriver(request)
  return found
}

/** Of one of the alternatives all. Nothing fits a request for nothing. */
function hasCapabilities(driver: GpuDriver, { capabilities = [] }: DeviceRequest): boolean {
  return capabilities.some((all) => all.every((capability) => driver.capabilities.has(capability)))
}

/** Lists as Go prints them. */
function noDriver({ driver, capabilities = [] }: DeviceRequest): EngineError {
  const lists = capabilities.map((all) => `[${all.join(' ')}]`).join(' ')
  return invalidArgument(`could not select device driver ${JSON.stringify(driver)} with capabilities: [${lists}]`)
}
