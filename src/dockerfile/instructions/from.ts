import { DockerfileError } from '../dockerfile-error.ts'
import { parseFlags } from '../flags.ts'
import type { RawInstruction } from '../read-source.ts'
import type { FromInstruction, InstructionBase } from './types.ts'
import { splitBlanks } from '../words/split-words.ts'

/** `FROM [--platform=…] image [AS name]`. */
export function parseFrom(raw: RawInstruction, base: InstructionBase): FromInstruction {
  const [image = '', as, name, ...others] = splitBlanks(raw.rest)
  const isNamed = name !== undefined && as?.toLowerCase() === 'as' && others.length === 0
  if (image === '' || (as !== undefined && !isNamed)) throw new DockerfileError('FROM requires either one or three arguments')
  if (name !== undefined && !/^[a-z][a-z0-9\-_.]*$/.test(name.toLowerCase())) {
    throw new DockerfileError(`invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`)
  }
  const { platform } = parseFlags(raw.flags, { platform: 'text' })
  return { ...base, kind: 'from', image, name: name?.toLowerCase(), platform }
}
