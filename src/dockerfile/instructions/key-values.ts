import { DockerfileError, WordsError } from '../dockerfile-error.ts'
import { parseFlags } from '../flags.ts'
import type { RawInstruction } from '../read-source.ts'
import type { ArgDefinition, ArgInstruction, EnvInstruction, InstructionBase, KeyValue, LabelInstruction } from './types.ts'
import type { EscapeCharacter } from '../types.ts'
import { splitWords } from '../words/split-words.ts'

export function parseEnv(raw: RawInstruction, base: InstructionBase, escape: EscapeCharacter): EnvInstruction {
  return { ...base, kind: 'env', entries: parseEntries(raw, 'ENV', escape) }
}

export function parseLabel(raw: RawInstruction, base: InstructionBase, escape: EscapeCharacter): LabelInstruction {
  return { ...base, kind: 'label', entries: parseEntries(raw, 'LABEL', escape) }
}

/** `ARG name name=value …`. */
export function parseArg(raw: RawInstruction, base: InstructionBase, escape: EscapeCharacter): ArgInstruction {
  parseFlags(raw.flags, {})
  const words = splitWords(raw.rest, escape)
  if (words.length === 0) throw new DockerfileError('ARG requires at least one argument')
  const args = words.map((word): ArgDefinition => {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (name === '') throw new DockerfileError('ARG names can not be blank')
    const comment = raw.comments.find((line) => line.startsWith(`${name} `))
    return { name, value: equals < 0 ? undefined : word.slice(equals + 1), description: comment?.slice(name.length + 1) }
  })
  return { ...base, kind: 'arg', args }
}

/** `key=value key2="a b"`, or the old form `key everything else`: the first word decides. */
function parseEntries(raw: RawInstruction, name: 'ENV' | 'LABEL', escape: EscapeCharacter): KeyValue[] {
  parseFlags(raw.flags, {})
  const words = splitWords(raw.rest, escape)
  const [first] = words
  if (first === undefined) throw new DockerfileError(`${name} requires at least one argument`)
  if (!first.includes('=')) {
    const match = /^([^\t\v\f\r ]*)[\t\v\f\r ]+(.*)$/s.exec(raw.rest)
    if (match === null) throw new WordsError(`${name} must have two arguments`)
    return [{ key: match[1] ?? '', value: match[2] ?? '', legacy: true }]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0) throw new WordsError(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
    if (equals === 0) throw new DockerfileError(`${name} names can not be blank`)
    return { key: word.slice(0, equals), value: word.slice(equals + 1), legacy: false }
  })
}
