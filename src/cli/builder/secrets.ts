import { splitCsvLine } from '#lib'
import { readFileSync, statSync } from 'node:fs'
import { parseFields } from './key-value-option.ts'

/** Bytes; the engine takes no larger ones. */
const MAX_SECRET = 500 * 1024

type Environment = Readonly<Record<string, string | undefined>>

/** Gives a secret when the engine asks for it; undefined: there is none. */
export type SecretStore = (id: string) => Uint8Array | undefined

/** Secrets of `--secret id=…[,src=…|,env=…]`. Files are looked at now, and read when they are asked for. Throws Error with buildx's texts. */
export function secretStore(values: readonly string[], env: Environment): SecretStore {
  const readers = new Map(values.map((text) => secretReader(text, env)))
  return (id) => readers.get(id)?.()
}

function secretReader(text: string, env: Environment): [id: string, read: () => Uint8Array] {
  if (splitCsvLine(text).some((field) => !field.includes('='))) throw new Error(`invalid field '${text}' must be a key=value pair`)
  const { id: given = '', type = '', src, source = src, env: variable, ...unknown } = Object.fromEntries(parseFields(text))
  const [extra] = Object.keys(unknown)
  if (extra !== undefined) throw new Error(`unexpected key '${extra}' in '${extra}=${unknown[extra]}'`)
  if (type !== '' && type !== 'file' && type !== 'env') throw new Error(`unsupported secret type "${type}"`)
  const id = given
  if (id === '') throw new Error('secret id is required')
  // `src` names a variable when the type says so; with neither, a variable of this name comes before a file.
  const name =
    variable ?? (type === 'env' ? (source ?? id) : source === undefined && env[id] !== undefined && type !== 'file' ? id : undefined)
  if (name !== undefined) {
    return [id, () => Buffer.from(env[name] ?? '')]
  }
  const path = source ?? id
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`failed to stat ${path}: stat ${path}: no such file or directory`)
  if (found.size > MAX_SECRET) throw new Error(`secret ${id} too big. max size 500KB`)
  return [id, () => readFileSync(path)]
}
