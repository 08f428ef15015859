import type { LintFinding, Linter } from '#dockerfile'
import type { FrontendHost } from '../types.ts'
import { formatFinding } from '#dockerfile'
import { BuildError } from '../build-error.ts'
import type { Definition, DefinitionSource } from './definition.ts'
import { sourceRange } from './errors.ts'

/** Tells the client what lint rules have found. Source: moby/buildkit frontend/dockerfile/builder/build.go. */
export function warnOf(findings: readonly LintFinding[], { vertex, file }: DefinitionSource, host: FrontendHost): void {
  for (const finding of findings) {
    const { rule, range } = finding
    host.warn({
      vertex,
      level: 1,
      short: formatFinding(finding),
      detail: [rule.description],
      url: rule.url,
      ...(range !== undefined && { source: sourceRange(file, range) }),
    })
  }
}

/** Throws when `# check=error=true` asks for it and something was found. */
export function failOnFindings(linter: Linter, { file }: Definition): void {
  const error = linter.error()
  if (error === undefined) return
  const range = linter.findings[0]?.range
  throw BuildError.from(error, range === undefined ? {} : { source: sourceRange(file, range) })
}
