/** `RUN --mount=type=…,key=value`. Source: moby/buildkit frontend/dockerfile/instructions/commands_runmount.go, dockerfile2llb/convert_runmount.go. */

import { posix } from 'node:path'
import { parseRamBytes } from '#lib'
import { DockerfileError } from './dockerfile-error.ts'
import { suggestWord } from './suggest-word.ts'
import type { CacheMount, Mount } from './instructions/types.ts'
import { parseCsvRecord } from './words/csv-record.ts'
import { booleanValue } from './words/boolean-value.ts'

type MountType = Mount['type']

const TYPES: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] satisfies MountType[]
const SHARING: readonly string[] = ['shared', 'private', 'locked'] satisfies CacheMount['sharing'][]

/** Keys that have a meaning for some types only. */
const TYPES_OF_KEY: Readonly<Record<string, readonly MountType[]>> = {
  required: ['secret', 'ssh'],
  size: ['tmpfs'],
  env: ['secret'],
}

const ALIASES: Readonly<Record<string, string>> = { src: 'source', dst: 'target', destination: 'target', ro: 'readonly', rw: 'readwrite' }

const KEYS: readonly string[] = [
  ...['type', 'from', 'source', 'target', 'readonly', 'readwrite', 'id', 'sharing', 'required', 'size', 'mode', 'uid', 'gid', 'env'],
  ...Object.keys(ALIASES),
]

/** What has been read so far. Keys count in order: `type` must stand in front of those that need it. */
interface Draft {
  type: MountType
  readonly?: boolean
  required: boolean
  sharing?: CacheMount['sharing']
  size: number
  from?: string
  source?: string
  target?: string
  id?: string
  env?: string
  mode?: number
  uid?: number
  gid?: number
}

/** `expand` is given the value of each key. Throws {@link DockerfileError} without range. */
export function parseMount(text: string, expand: (value: string) => string): Mount {
  const draft: Draft = { type: 'bind', required: false, size: 0 }
  for (const field of parseCsvRecord(text, 'mounts')) {
    const equals = field.indexOf('=')
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const key = ALIASES[written] ?? written
    const value = equals < 0 ? undefined : expand(field.slice(equals + 1))
    readKey(draft, key, written, value, field)
  }
  checkDraft(draft)
  return mountOf(draft)
}

/** What can be said before variables have values. Throws {@link DockerfileError} without range. */
export function checkMount(text: string): void {
  for (const field of parseCsvRecord(text, 'mounts')) {
    if (/^from=.*\$./i.test(field)) {
      throw new DockerfileError("'from' doesn't support variable expansion, define alias stage instead")
    }
  }
}

function readKey(draft: Draft, key: string, written: string, value: string | undefined, field: string): void {
  const types = TYPES_OF_KEY[key]
  if (types !== undefined && !types.includes(draft.type)) {
    throw new DockerfileError(`unexpected key '${written}' for mount type '${draft.type}'`)
  }
  if (key === 'readonly') draft.readonly = value === undefined || booleanValue(written, value)
  else if (key === 'readwrite') draft.readonly = !(value === undefined || booleanValue(written, value))
  else if (key === 'required') draft.required = value === undefined || booleanValue(written, value)
  else if (value === undefined) throw new DockerfileError(`invalid field '${field}' must be a key=value pair`)
  else if (key === 'type') draft.type = oneOf(value, TYPES, 'mount type') as MountType
  else if (key === 'sharing') draft.sharing = oneOf(value, SHARING, 'sharing value') as CacheMount['sharing']
  else if (key === 'size') draft.size = readSize(written, value)
  else if (key === 'mode' || key === 'uid' || key === 'gid') draft[key] = readNumber(key, value, key === 'mode' ? 8 : 10)
  else if (key === 'from' || key === 'source' || key === 'target' || key === 'id' || key === 'env') draft[key] = value
  else throw new DockerfileError(`unexpected key '${written}' in '${field}'${didYouMean(written, KEYS)}`)
}

function checkDraft(draft: Draft): void {
  if (draft.type === 'bind' || draft.type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (draft[key] !== undefined) throw new DockerfileError(`${key} not allowed for "${draft.type}" type mounts`)
    }
  }
  if (draft.type === 'secret') {
    if (draft.from) throw new DockerfileError('secret mount should not have a from')
    if (draft.sharing) throw new DockerfileError('secret mount should not define sharing')
    if (!draft.source && !draft.target && !draft.id) throw new DockerfileError('invalid secret mount. one of source, target required')
    if (draft.source && draft.id) throw new DockerfileError("both source and id can't be set")
  }
  if (draft.sharing && draft.type !== 'cache') throw new DockerfileError(`invalid cache sharing set for ${draft.type} mount`)
}

function mountOf(draft: Draft): Mount {
  const { type, target, source, mode, uid, gid, required } = draft
  const readonly = draft.readonly ?? !(type === 'cache' || type === 'tmpfs')
  const id = draft.id || source || undefined
  const common = { target: target || undefined, readonly }
  const owner = { mode, uid, gid }
  switch (type) {
    case 'bind':
      return { type, ...common, source: source || undefined, from: draft.from || undefined }
    case 'cache': {
      const sharing = draft.sharing ?? 'shared'
      return { type, ...common, ...owner, source: source || undefined, from: draft.from || undefined, id: draft.id || undefined, sharing }
    }
    case 'tmpfs':
      return { type, ...common, size: draft.size }
    case 'secret':
      return { type, ...common, ...owner, id: id ?? posix.basename(target ?? ''), env: draft.env || undefined, required }
    case 'ssh':
      return { type, ...common, ...owner, id: id ?? 'default', required }
  }
}

function oneOf(value: string, allowed: readonly string[], what: string): string {
  const lower = value.toLowerCase()
  if (!allowed.includes(lower)) throw new DockerfileError(`unsupported ${what} ${JSON.stringify(value)}${didYouMean(value, allowed)}`)
  return lower
}

function readNumber(key: string, value: string, base: 8 | 10): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN
  if (!(number <= 0xff_ff_ff_ff)) throw new DockerfileError(`invalid value ${value} for ${key}`)
  return number
}

function readSize(key: string, value: string): number {
  try {
    return parseRamBytes(value)
  } catch (error) {
    throw new DockerfileError(`invalid value for ${key}: ${value}`, undefined, { cause: error })
  }
}

function didYouMean(word: string, options: readonly string[]): string {
  const near = suggestWord(word, options)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}
