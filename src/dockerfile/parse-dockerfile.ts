import { DockerfileError, WordsError } from './dockerfile-error.ts'
import { findInText, findWhileReading } from './lint/find-in-text.ts'
import { inlineChecks } from './lint/inline-checks.ts'
import { parseAdd, parseCopy } from './instructions/copy.ts'
import { parseCmd, parseEntrypoint, parseHealthcheck, parseRun, parseShell } from './instructions/commands.ts'
import { parseFrom } from './instructions/from.ts'
import { parseArg, parseEnv, parseLabel } from './instructions/key-values.ts'
import {
  parseExpose,
  parseMaintainer,
  parseOnbuild,
  parseStopSignal,
  parseUser,
  parseVolume,
  parseWorkdir,
} from './instructions/settings.ts'
import { readSource } from './read-source.ts'
import type { RawInstruction, SourceText } from './read-source.ts'
import { suggestWord } from './suggest-word.ts'
import type { ArgInstruction, Instruction, InstructionBase, StageInstruction } from './instructions/types.ts'
import type { Dockerfile, EscapeCharacter, Stage } from './types.ts'

type InstructionParser = (raw: RawInstruction, base: InstructionBase, escape: EscapeCharacter) => Instruction

const PARSERS: Readonly<Record<string, InstructionParser>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: parseCmd,
  COPY: parseCopy,
  ENTRYPOINT: parseEntrypoint,
  ENV: parseEnv,
  EXPOSE: parseExpose,
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: parseLabel,
  MAINTAINER: parseMaintainer,
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: parseStopSignal,
  USER: parseUser,
  VOLUME: parseVolume,
  WORKDIR: parseWorkdir,
}

/** Throws {@link DockerfileError} with its place, and with Docker's words. The text may have 2^21 characters, a line 65,535. */
export function parseDockerfile(text: string, name = 'Dockerfile'): Dockerfile {
  if (text === '') throw new DockerfileError('the Dockerfile cannot be empty')
  const source = readSource(text)
  if (source.instructions.length === 0) throw new DockerfileError('file with no instructions')
  const instructions = parseLines(source)
  const { globalArgs, stages } = groupStages(instructions)
  return {
    name,
    text,
    escape: source.escape,
    directives: source.directives,
    globalArgs,
    stages,
    findings: findInText(globalArgs, stages, source.emptyContinuations),
    checks: inlineChecks(instructions),
  }
}

/** One instruction that is not FROM: an ONBUILD trigger. Throws {@link DockerfileError}; lines count in `text`. */
export function parseInstruction(text: string, escape: EscapeCharacter = '\\'): StageInstruction {
  const source = readSource(text, escape)
  const [raw, ...others] = source.instructions
  if (raw === undefined) throw new DockerfileError('file with no instructions')
  if (others.length > 0) throw new DockerfileError('onbuild trigger should be a single expression')
  const instruction = parseRaw(raw, source.escape)
  if (instruction.kind === 'from') throw new DockerfileError("FROM isn't allowed as an ONBUILD trigger", instruction.range)
  return instruction
}

/** An error knows what was read before it. */
function parseLines(source: SourceText): Instruction[] {
  const instructions: Instruction[] = []
  try {
    for (const raw of source.instructions) instructions.push(parseLine(raw, source.escape))
    return instructions
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    const { directives } = source
    const readPart = { directives, checks: inlineChecks(instructions), findings: findWhileReading(instructions) }
    const PlacedError = error instanceof WordsError ? WordsError : DockerfileError
    throw new PlacedError(error.message, error.range, { cause: error, readPart })
  }
}

function groupStages(instructions: readonly Instruction[]): { globalArgs: ArgInstruction[]; stages: Stage[] } {
  const globalArgs: ArgInstruction[] = []
  const stages: (Stage & { instructions: StageInstruction[] })[] = []
  for (const instruction of instructions) {
    const stage = stages.at(-1)
    if (instruction.kind === 'from') stages.push({ index: stages.length, from: instruction, instructions: [] })
    else if (stage !== undefined) stage.instructions.push(instruction)
    else if (instruction.kind === 'arg') globalArgs.push(instruction)
    else throw new DockerfileError('no build stage in current context', instruction.range)
  }
  if (stages.length === 0) throw new DockerfileError('dockerfile contains no stages to build')
  return { globalArgs, stages }
}

/** An instruction of a file: what is said about it begins with the line. */
function parseLine(raw: RawInstruction, escape: EscapeCharacter): Instruction {
  try {
    return parseRaw(raw, escape)
  } catch (error) {
    if (!(error instanceof DockerfileError) || error instanceof WordsError) throw error
    throw new DockerfileError(`dockerfile parse error on line ${raw.range.start.line}: ${error.message}`, raw.range, { cause: error })
  }
}

/** Errors of what reads the parts get the place here. */
export function parseRaw(raw: RawInstruction, escape: EscapeCharacter): Instruction {
  const { keyword, source, range, comments } = raw
  try {
    const name = keyword.toUpperCase()
    const parser = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined
    if (parser === undefined) throw unknownInstruction(keyword)
    return parser(raw, { keyword, source, range, comments }, escape)
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    const PlacedError = error instanceof WordsError ? WordsError : DockerfileError
    throw new PlacedError(error.message, range, { cause: error })
  }
}

function unknownInstruction(keyword: string): DockerfileError {
  const near = suggestWord(keyword.toUpperCase(), Object.keys(PARSERS))
  const suggestion = keyword === keyword.toLowerCase() ? near?.toLowerCase() : near
  return new DockerfileError(`unknown instruction: ${keyword}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`)
}
