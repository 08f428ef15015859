/** What lint rules find in the text alone, whatever images and build arguments there are. Source: BuildKit's instructions/parse.go, dockerfile2llb/convert.go. */

import type { ArgInstruction, FromInstruction, Instruction } from '../instructions/types.ts'
import type { TextRange } from '../ranges.ts'
import type { LintFinding, Stage } from '../types.ts'
import { lintFinding } from './rules.ts'

const RESERVED_NAMES: readonly string[] = ['context', 'scratch']

/** Of these only the last one of a stage counts. */
const ONCE: readonly Instruction['kind'][] = ['cmd', 'entrypoint', 'healthcheck']

/** First or last word of a name, or all of it: `API_KEY`, `AUTH`. */
const SECRET_NAME = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i

const HARMLESS_NAME = /(?:_|^)(?:public|file|version)(?:_|$)/i

/** Findings in BuildKit's order: by rule group, then by place. */
export function findInText(
  globalArgs: readonly ArgInstruction[],
  stages: readonly Stage[],
  emptyContinuations: readonly TextRange[],
): LintFinding[] {
  const instructions = stages.flatMap(({ from, instructions }): Instruction[] => [from, ...instructions])
  return [
    ...emptyContinuations.map((range) => lintFinding('NoEmptyContinuation', [], range)),
    ...findCasing(instructions),
    ...findWhileReading([...globalArgs, ...instructions]),
    ...findStageNames(stages),
    ...globalArgs.flatMap((arg) => findSecrets(arg, undefined)),
    ...stages.flatMap(({ from }) => findPlatform(from)),
    ...stages.flatMap(findInStage),
  ]
}

/** What can be found in each instruction alone: of a Dockerfile with a mistake, all that is found in front of it. */
export function findWhileReading(instructions: readonly Instruction[]): LintFinding[] {
  return instructions.flatMap(findInInstruction)
}

function findCasing(instructions: readonly Instruction[]): LintFinding[] {
  const isLower = (text: string): boolean => text === text.toLowerCase()
  const isUpper = (text: string): boolean => text === text.toUpperCase()
  const lower = instructions.filter(({ keyword }) => isLower(keyword)).length
  const upper = instructions.filter(({ keyword }) => !isLower(keyword) && isUpper(keyword)).length
  const [isRight, casing] = lower > upper ? [isLower, 'lowercase'] : [isUpper, 'uppercase']
  return instructions
    .filter(({ keyword }) => !isRight(keyword))
    .map(({ keyword, range }) => lintFinding('ConsistentInstructionCasing', [keyword, casing], range))
}

function findInInstruction(instruction: Instruction): LintFinding[] {
  switch (instruction.kind) {
    case 'maintainer':
      return [lintFinding('MaintainerDeprecated', [], instruction.range)]
    case 'from':
      return findFrom(instruction)
    case 'arg':
      return findDescription(
        instruction,
        'ARG',
        instruction.args.map(({ name }) => name),
      )
    default:
      return []
  }
}

function findFrom(from: FromInstruction): LintFinding[] {
  if (from.name === undefined) return []
  const [as = '', name = ''] = from.source.split(/\s+/).slice(-2)
  const findings: LintFinding[] = []
  if (name !== from.name) findings.push(lintFinding('StageNameCasing', [name], from.range))
  const { keyword } = from
  const wanted = keyword === keyword.toLowerCase() ? as.toLowerCase() : as.toUpperCase()
  // A keyword of mixed case is another rule's matter.
  const isPlain = keyword === keyword.toLowerCase() || keyword === keyword.toUpperCase()
  if (isPlain && as !== wanted) findings.push(lintFinding('FromAsCasing', [keyword, as], from.range))
  return [...findings, ...findDescription(from, 'FROM', [from.name])]
}

function findDescription(instruction: Instruction, keyword: string, names: readonly string[]): LintFinding[] {
  const comment = instruction.comments.at(-1)
  const [first = ''] = names
  if (comment === undefined || names.includes(comment.split(' ')[0] ?? '')) return []
  return [lintFinding('InvalidDefinitionDescription', [keyword, names.length > 1 ? '<arg_key>' : first], instruction.range)]
}

function findStageNames(stages: readonly Stage[]): LintFinding[] {
  const seen = new Set<string>()
  const findings: LintFinding[] = []
  for (const { from } of stages) {
    if (from.name === undefined) continue
    if (RESERVED_NAMES.includes(from.name)) findings.push(lintFinding('ReservedStageName', [from.name], from.range))
    if (seen.has(from.name)) findings.push(lintFinding('DuplicateStageName', [from.name], from.range))
    seen.add(from.name)
  }
  return findings
}

function findPlatform({ platform, name = '', range }: FromInstruction): LintFinding[] {
  if (platform === undefined) return []
  if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform)) return [lintFinding('RedundantTargetPlatform', [platform], range)]
  if (!/^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(platform)) return []
  // A stage may be meant for one platform; then its name says so.
  if (
    platform
      .split('/')
      .slice(0, 2)
      .some((part) => name.includes(part))
  )
    return []
  return [lintFinding('FromPlatformFlagConstDisallowed', [platform], range)]
}

function findInStage({ index, instructions }: Stage): LintFinding[] {
  const findings: LintFinding[] = []
  const last = new Map<Instruction['kind'], Instruction>()
  for (const instruction of instructions) {
    findings.push(...findSecrets(instruction, index), ...findLegacyForm(instruction, index))
    const { kind, keyword } = instruction
    if (!ONCE.includes(kind)) continue
    // The place is that of the one that does not count.
    const before = last.get(kind)
    if (before !== undefined) findings.push(lintFinding('MultipleInstructionsDisallowed', [keyword], before.range, index))
    last.set(kind, instruction)
  }
  return findings
}

function findLegacyForm(instruction: Instruction, stage: number): LintFinding[] {
  if (instruction.kind !== 'env' && instruction.kind !== 'label') return []
  const { entries, keyword, range } = instruction
  return entries.filter(({ legacy }) => legacy).map(() => lintFinding('LegacyKeyValueFormat', [keyword], range, stage))
}

function findSecrets(instruction: Instruction, stage: number | undefined): LintFinding[] {
  if (instruction.kind !== 'arg' && instruction.kind !== 'env') return []
  const names = instruction.kind === 'arg' ? instruction.args.map(({ name }) => name) : instruction.entries.map(({ key }) => key)
  return names
    .filter((name) => SECRET_NAME.test(name) && !HARMLESS_NAME.test(name))
    .map((name) => lintFinding('SecretsUsedInArgOrEnv', [instruction.kind.toUpperCase(), name], instruction.range, stage))
}
