import { DockerfileError } from '../dockerfile-error.ts'
import { parseFlags } from '../flags.ts'
import { splitInstruction } from '../read-source.ts'
import type { RawInstruction } from '../read-source.ts'
import type {
  ExposeInstruction,
  InstructionBase,
  MaintainerInstruction,
  OnbuildInstruction,
  StopSignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from './types.ts'
import { parseList, splitBlanks } from '../words/split-words.ts'

export function parseWorkdir(raw: RawInstruction, base: InstructionBase): WorkdirInstruction {
  return { ...base, kind: 'workdir', path: theArgument(raw, 'WORKDIR') }
}

export function parseUser(raw: RawInstruction, base: InstructionBase): UserInstruction {
  return { ...base, kind: 'user', user: theArgument(raw, 'USER') }
}

export function parseStopSignal(raw: RawInstruction, base: InstructionBase): StopSignalInstruction {
  return { ...base, kind: 'stopsignal', signal: theArgument(raw, 'STOPSIGNAL') }
}

export function parseMaintainer(raw: RawInstruction, base: InstructionBase): MaintainerInstruction {
  return { ...base, kind: 'maintainer', maintainer: theArgument(raw, 'MAINTAINER') }
}

/** Sorted, as Docker records them. */
export function parseExpose(raw: RawInstruction, base: InstructionBase): ExposeInstruction {
  parseFlags(raw.flags, {})
  const ports = splitBlanks(raw.rest)
  if (ports.length === 0) throw new DockerfileError('EXPOSE requires at least one argument')
  return { ...base, kind: 'expose', ports: ports.sort() }
}

export function parseVolume(raw: RawInstruction, base: InstructionBase): VolumeInstruction {
  parseFlags(raw.flags, {})
  const paths = parseList(raw.rest).map((path) => path.trim())
  if (paths.length === 0) throw new DockerfileError('VOLUME requires at least one argument')
  if (paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string')
  return { ...base, kind: 'volume', paths }
}

/** The trigger is only read when a child image is built: what it says may be wrong until then, as in Docker. */
export function parseOnbuild(raw: RawInstruction, base: InstructionBase): OnbuildInstruction {
  parseFlags(raw.flags, {})
  if (raw.rest === '') throw new DockerfileError('ONBUILD requires at least one argument')
  const inner = splitInstruction(raw.rest).keyword.toUpperCase()
  if (inner === 'ONBUILD') throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (inner === 'FROM' || inner === 'MAINTAINER') throw new DockerfileError(`${inner} isn't allowed as an ONBUILD trigger`)
  const trigger = raw.source.replace(/^\s*ONBUILD\s*/i, '')
  return { ...base, kind: 'onbuild', trigger: trigger + raw.heredocs.map(({ content, name }) => `\n${content}${name}`).join('') }
}

/** All that stands behind the keyword, blanks included. */
function theArgument(raw: RawInstruction, name: string): string {
  if (raw.rest === '') throw new DockerfileError(`${name} requires exactly one argument`)
  parseFlags(raw.flags, {})
  return raw.rest
}
