import type { InstructionBase } from '../instructions/types.ts'
import type { LintConfig } from '../types.ts'
import { parseLintConfig } from './linter.ts'

/**
 * What `# check=skip=A` among the comments in front of an instruction says about this one, by its first line. Only the first such comment counts, up to a blank;
 * one that cannot be read is a comment as any other. Source: moby/buildkit frontend/dockerfile/linter/linter.go, WithMergedConfigFromComments.
 */
export function inlineChecks(instructions: Iterable<InstructionBase>): ReadonlyMap<number, LintConfig> {
  const checks = new Map<number, LintConfig>()
  for (const { comments, range } of instructions) {
    const value = comments.map((comment) => /^check\s*=\s*(\S+)/i.exec(comment)?.[1]).find((found) => found !== undefined)
    const config = value === undefined ? undefined : tryParse(value)
    if (config !== undefined) checks.set(range.start.line, config)
  }
  return checks
}

function tryParse(value: string): LintConfig | undefined {
  try {
    return parseLintConfig(value)
  } catch {
    return undefined
  }
}
