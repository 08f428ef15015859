import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import { parseIdMap } from '#volumes'
import type { MountRequest } from './configuration.ts'

const PROPAGATION = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'])
const CONSISTENCY = new Set(['consistent', 'cached', 'delegated'])
const DEFAULT_PROPAGATION = 'rprivate'

/** A mount as asked for, before volumes exist. */
export interface ParsedMount {
  request: MountRequest
  /** As written behind the second colon. */
  mode: string
  destination: string
  propagation: string
  readOnly: boolean
  /** Copy the image's content into an empty volume. */
  copy: boolean
}

/** `ro`, `rw`, `z`, `Z`, propagation, `nocopy`, consistency: at most one of each kind. */
function isMode(mode: string): boolean {
  if (mode === '') return true
  const seen = new Set<string>()
  for (const option of mode.split(',')) {
    const kind = kindOf(option)
    if (kind === undefined || seen.has(kind)) return false
    seen.add(kind)
  }
  return true
}

function kindOf(option: string): string | undefined {
  if (option === 'ro' || option === 'rw') return 'access'
  if (option === 'z' || option === 'Z') return 'label'
  if (option === 'nocopy') return 'copy'
  if (PROPAGATION.has(option)) return 'propagation'
  return CONSISTENCY.has(option) ? 'consistency' : undefined
}

/**
 * `-v` / HostConfig.Binds: `source:target[:mode]`, `name:target[:mode]`, or `target` alone for an anonymous volume.
 * Throws INVALID_ARGUMENT. Source: moby volume/mounts/linux_parser.go.
 */
export function parseBind(raw: string, volumeDriver: string): ParsedMount {
  const parts = raw.split(':')
  const invalid = (why = ''): Error => invalidArgument(`invalid volume specification: '${raw}'${why}`)
  const [first = '', second, third] = parts
  if (first === '' || parts.length > 3) throw invalid()
  // A mode without a source: volumes cannot be given a mode that way.
  if (parts.length === 2 && isMode(second ?? '')) throw invalid()
  const mode = third ?? ''
  if (!isMode(mode)) throw invalidArgument(`invalid mode: ${mode}`)
  const source = second === undefined ? '' : first
  const options = mode.split(',')
  const isBind = source.startsWith('/')
  const propagation = options.find((option) => PROPAGATION.has(option))
  const request: MountRequest = {
    type: isBind ? 'bind' : 'volume',
    source: isBind ? posix.normalize(source) : source,
    target: second ?? first,
    readOnly: options.includes('ro'),
    consistency: '',
  }
  if (isBind) {
    // A source that is missing is made, which `--mount` refuses.
    request.bind = { ...plainBind(propagation ?? ''), createMountpoint: true }
  } else {
    if (propagation !== undefined) throw invalid(': invalid mount config for type "volume": field BindOptions must not be specified')
    request.volume = { noCopy: options.includes('nocopy'), labels: {}, driver: volumeDriver, driverOptions: {}, subpath: '' }
  }
  try {
    return { ...checkMount(request), mode }
  } catch (error) {
    throw invalid(`: ${(error as Error).message}`)
  }
}

function plainBind(propagation: string): NonNullable<MountRequest['bind']> {
  return { propagation, nonRecursive: false, createMountpoint: false, readOnlyNonRecursive: false, readOnlyForceRecursive: false }
}

/** `--mount`: checks one request and fills in what follows from it. */
export function checkMount(request: MountRequest): ParsedMount {
  const fail = (why: string): never => {
    throw invalidArgument(`invalid mount config for type "${request.type}": ${why}`)
  }
  const { type, source, target } = request
  if (target === '') fail('field Target must not be empty')
  if (posix.normalize(target) === '/' || posix.normalize(target) === '.') fail("invalid specification: destination can't be '/'")
  if (!target.startsWith('/')) fail(`invalid mount path: '${target}' mount path must be absolute`)
  const foreign = (['bind', 'volume', 'tmpfs', 'image'] as const).find((kind) => kind !== type && request[kind] !== undefined)
  if (foreign !== undefined) fail(`field ${foreign[0]?.toUpperCase()}${foreign.slice(1)}Options must not be specified`)
  switch (type) {
    case 'bind':
      if (source === '') fail('field Source must not be empty')
      if (!source.startsWith('/')) fail(`invalid mount path: '${source}' mount path must be absolute`)
      if (request.bind?.propagation && !PROPAGATION.has(request.bind.propagation)) {
        fail(`invalid propagation mode: ${request.bind.propagation}`)
      }
      if (request.bind?.idmap) parseIdMap(request.bind.idmap)
      break
    case 'volume':
      if (request.volume?.subpath && source === '') fail('must not set Subpath when using anonymous volumes')
      if (!isLocal(request.volume?.subpath ?? '')) fail('subpath must be a relative path within the volume')
      break
    case 'tmpfs':
      if (source !== '') fail('field Source must not be specified')
      for (const option of request.tmpfs?.options ?? []) {
        if (option.length < 1 || option.length > 2) fail('invalid option array length')
        if (option[0] !== 'exec' && option[0] !== 'noexec') fail(`invalid option: ${option[0]}`)
      }
      break
    case 'image':
      if (source === '') fail('field Source must not be empty')
      if (!isLocal(request.image?.subpath ?? '')) fail('subpath must be a relative path within the volume')
      break
    default:
      fail('mount type unknown')
  }
  return {
    request,
    mode: '',
    destination: posix.normalize(target).replace(/(.)\/$/, '$1'),
    propagation: type === 'bind' ? request.bind?.propagation || DEFAULT_PROPAGATION : type === 'image' ? DEFAULT_PROPAGATION : '',
    readOnly: request.readOnly,
    copy: type === 'volume' && !(request.volume?.noCopy ?? false),
  }
}

/** Go's filepath.IsLocal: stays below where it begins, whatever its links do. Empty: not asked for. */
function isLocal(subpath: string): boolean {
  const cleaned = posix.normalize(subpath)
  return !subpath.startsWith('/') && cleaned !== '..' && !cleaned.startsWith('../')
}

/** `--volumes-from`: `container[:ro|rw]`. */
export function parseVolumesFrom(raw: string): { ref: string; mode: string } {
  if (raw === '') throw invalidArgument('volumes-from specification cannot be an empty string')
  const at = raw.indexOf(':')
  const mode = at < 0 ? '' : raw.slice(at + 1)
  const kinds = mode === '' ? [] : mode.split(',').map(kindOf)
  if (!isMode(mode) || kinds.includes('propagation') || kinds.includes('copy')) throw invalidArgument(`invalid mode: ${mode}`)
  return { ref: at < 0 ? raw : raw.slice(0, at), mode: mode === '' ? 'rw' : mode }
}
