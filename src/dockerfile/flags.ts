/** `--name=value` of instructions, by a table of what an instruction knows. Source: moby/buildkit frontend/dockerfile/instructions/bflag.go. */

import { DockerfileError } from './dockerfile-error.ts'
import { suggestWord } from './suggest-word.ts'

/** `text` once, `texts` as often as you like, `boolean` without value or `=true`, `=false`. */
type FlagKind = 'text' | 'texts' | 'boolean'

type FlagValue<K extends FlagKind> = K extends 'text' ? string | undefined : K extends 'texts' ? readonly string[] : boolean | undefined

/** Values by name; a text that is empty counts as not said. Throws {@link DockerfileError}. */
export function parseFlags<T extends Readonly<Record<string, FlagKind>>>(
  flags: readonly string[],
  table: T,
): { readonly [name in keyof T]: FlagValue<T[name]> } {
  const values: Record<string, string | string[] | boolean | undefined> = {}
  for (const [name, kind] of Object.entries(table)) values[name] = kind === 'texts' ? [] : undefined
  const seen = new Set<string>()
  for (const flag of flags) {
    const equals = flag.indexOf('=')
    const written = equals < 0 ? flag : flag.slice(0, equals)
    const value = equals < 0 ? undefined : flag.slice(equals + 1)
    const name = written.slice(2)
    const kind = Object.hasOwn(table, name) ? table[name] : undefined
    if (kind === undefined) throw unknownFlag(written, Object.keys(table))
    if (seen.has(name) && kind !== 'texts') throw new DockerfileError(`duplicate flag specified: ${written}`)
    seen.add(name)
    if (kind === 'boolean') values[name] = parseBoolean(written, value)
    else if (value === undefined) throw new DockerfileError(`missing a value on flag: ${written}`)
    else if (kind === 'text') values[name] = value === '' ? undefined : value
    else (values[name] as string[]).push(value)
  }
  return values as { [name in keyof T]: FlagValue<T[name]> }
}

function parseBoolean(flag: string, value: string | undefined): boolean {
  if (value === '') throw new DockerfileError(`missing a value on flag: ${flag}`)
  const lower = (value ?? 'true').toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw new DockerfileError(`expecting boolean value for flag ${flag}, not: ${value}`)
  return lower === 'true'
}

function unknownFlag(written: string, known: readonly string[]): DockerfileError {
  const near = suggestWord(written.slice(2), known)
  return new DockerfileError(`unknown flag: ${written}${near === undefined ? '' : ` (did you mean ${near}?)`}`)
}
