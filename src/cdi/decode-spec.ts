/** From the bytes of a specification to its types: strict, as what is misspelt would be a device that lacks something. */

import { invalidArgument } from '#errors'
import { HOOK_NAMES, type CdiHook, type CdiMount, type CdiSpec, type ContainerEdits, type DeviceNode } from './types.ts'

/** A document as it is written; what it may say is checked by `verifySpec`. */
export interface RawSpec extends CdiSpec {
  readonly version: string
}

/** What YAML aliases may multiply a document by. Attack: a few lines that become gigabytes. */
const MAX_ALIASES = 100

type Members = Readonly<Record<string, unknown>>

/** JSON is YAML, but for a reader of YAML that is not there yet. Throws INVALID_ARGUMENT. */
export async function decodeSpec(text: string): Promise<RawSpec> {
  const spec = members(await parseDocument(text), 'CDI Spec', ['cdiVersion', 'kind', 'annotations', 'devices', 'containerEdits'])
  return {
    version: string(spec['cdiVersion'], 'cdiVersion'),
    kind: string(spec['kind'], 'kind'),
    annotations: annotations(spec['annotations'], 'annotations'),
    devices: list(spec['devices'], 'devices').map((value, index) => device(value, `devices[${index}]`)),
    edits: edits(spec['containerEdits'], 'containerEdits'),
  }
}

async function parseDocument(text: string): Promise<unknown> {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text)
    } catch {
      // Flow style of YAML begins the same way.
    }
  }
  // Loaded late: few machines have specifications in YAML, and every daemon would pay for the reader.
  const { parse } = await import('yaml')
  try {
    // 1.1, as the reference library reads it: modes are written 0660. Without its times, which would make a number of a device named 0:1.
    return parse(text, {
      version: '1.1',
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp'))),
      maxAliasCount: MAX_ALIASES,
      logLevel: 'silent',
    })
  } catch (cause) {
    throw malformed((cause as Error).message.split('\n')[0] ?? '', cause)
  }
}

function device(value: unknown, where: string): CdiSpec['devices'][number] {
  const { name, annotations: own, containerEdits } = members(value, where, ['name', 'annotations', 'containerEdits'])
  return {
    name: string(name, `${where}.name`),
    annotations: annotations(own, `${where}.annotations`),
    edits: edits(containerEdits, `${where}.containerEdits`),
  }
}

const UNSUPPORTED = ['intelRdt', 'netDevices']

function edits(value: unknown, where: string): ContainerEdits {
  const given = members(value, where, ['env', 'deviceNodes', 'mounts', 'hooks', 'additionalGids', ...UNSUPPORTED])
  const all = <T>(name: string, decode: (item: unknown, path: string) => T): T[] =>
    list(given[name], `${where}.${name}`).map((item, index) => decode(item, `${where}.${name}[${index}]`))
  const hooks = all('hooks', hook)
  const runsOfImage = hooks.some(({ hookName }) => hookName === 'startContainer')
  return {
    env: all('env', string),
    deviceNodes: all('deviceNodes', deviceNode),
    mounts: all('mounts', mount),
    hooks,
    additionalGids: all('additionalGids', unsigned),
    // That hook would be a program of the image.
    unsupported: [...UNSUPPORTED.filter((name) => !isEmpty(given[name])), ...(runsOfImage ? ['a startContainer hook'] : [])],
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

function deviceNode(value: unknown, where: string): DeviceNode {
  const known = ['path', 'hostPath', 'type', 'major', 'minor', 'fileMode', 'permissions', 'uid', 'gid']
  const given = members(value, where, known)
  const text = (name: string): string => string(given[name], `${where}.${name}`)
  const path = text('path')
  if (path === '') throw invalidArgument('invalid (empty) device path')
  const type = text('type')
  if (!isNodeType(type)) throw invalidArgument(`device ${JSON.stringify(path)}: invalid type ${JSON.stringify(type)}`)
  const [major, minor] = [integer(given['major'], `${where}.major`), integer(given['minor'], `${where}.minor`)]
  if (major < 0 || minor < 0) throw invalidArgument(`device ${JSON.stringify(path)}: invalid (negative) device number ${major}:${minor}`)
  const permissions = text('permissions')
  if (permissions !== 'none' && /[^rwm]/.test(permissions)) {
    throw invalidArgument(`device ${JSON.stringify(path)}: invalid permissions ${JSON.stringify(permissions)}`)
  }
  const optional = (name: 'fileMode' | 'uid' | 'gid'): Partial<DeviceNode> =>
    isEmpty(given[name]) ? {} : { [name]: unsigned(given[name], `${where}.${name}`) }
  return {
    path,
    hostPath: text('hostPath'),
    type,
    major,
    minor,
    permissions,
    ...optional('fileMode'),
    ...optional('uid'),
    ...optional('gid'),
  }
}

function isNodeType(type: string): type is DeviceNode['type'] {
  return ['', 'b', 'c', 'u', 'p'].includes(type)
}

function mount(value: unknown, where: string): CdiMount {
  const given = members(value, where, ['hostPath', 'containerPath', 'options', 'type'])
  const [hostPath, containerPath] = [
    string(given['hostPath'], `${where}.hostPath`),
    string(given['containerPath'], `${where}.containerPath`),
  ]
  if (hostPath === '') throw invalidArgument('invalid mount, empty host path')
  if (containerPath === '') throw invalidArgument('invalid mount, empty container path')
  return { hostPath, containerPath, options: strings(given['options'], `${where}.options`), type: string(given['type'], `${where}.type`) }
}

function hook(value: unknown, where: string): CdiHook {
  const given = members(value, where, ['hookName', 'path', 'args', 'env', 'timeout'])
  const hookName = string(given['hookName'], `${where}.hookName`)
  const known = HOOK_NAMES.find((name) => name === hookName)
  if (known === undefined) throw invalidArgument(`invalid hook name ${JSON.stringify(hookName)}`)
  const path = string(given['path'], `${where}.path`)
  if (path === '') throw invalidArgument(`invalid hook ${JSON.stringify(hookName)} with empty path`)
  const [args, env] = [strings(given['args'], `${where}.args`), strings(given['env'], `${where}.env`)]
  verifyEnvironment(env, `invalid hook ${JSON.stringify(hookName)}`)
  return {
    hookName: known,
    path,
    args,
    env,
    ...(!isEmpty(given['timeout']) && { timeout: unsigned(given['timeout'], `${where}.timeout`) }),
  }
}

/** Throws INVALID_ARGUMENT that begins with `what`. */
export function verifyEnvironment(env: readonly string[], what: string): void {
  for (const entry of env)
    if (entry.indexOf('=') <= 0) throw invalidArgument(`${what}: invalid environment variable ${JSON.stringify(entry)}`)
}

function annotations(value: unknown, where: string): Record<string, string> {
  const given = typeof value === 'object' && value !== null ? Object.keys(value) : []
  return Object.fromEntries(Object.entries(members(value, where, given)).map(([key, item]) => [key, string(item, `${where}.${key}`)]))
}

/** null counts as absent, as in Go. */
function members(value: unknown, where: string, known: readonly string[]): Members {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed(`${where} is not an object`)
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined) throw malformed(`unknown field ${JSON.stringify(unknown)} in ${where}`)
  return value as Members
}

function list(value: unknown, where: string): unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed(`${where} is not a list`)
  return value
}

function strings(value: unknown, where: string): string[] {
  return list(value, where).map((item, index) => string(item, `${where}[${index}]`))
}

/** YAML's numbers and booleans are text where text is wanted, as with the reference library: `autoallow: true`. */
function string(value: unknown, where: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string' || value.includes('\0')) throw malformed(`${where} is not a string`)
  return value
}

function integer(value: unknown, where: string): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed(`${where} is not an integer`)
  return value
}

function unsigned(value: unknown, where: string): number {
  const number = integer(value, where)
  if (number < 0 || number > 0xffff_ffff) throw malformed(`${where} is not a number of 32 bits`)
  return number
}

function malformed(why: string, cause?: unknown): Error {
  return invalidArgument(`failed to unmarshal CDI Spec: ${why}`, cause)
}
