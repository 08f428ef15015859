import { sourceExcerpt } from '#dockerfile'
import type { Linter, LintFinding } from '#dockerfile'
import { BuildError } from '../../build-error.ts'
import type { SourceFile, SourceRange } from '../../graph/types.ts'
import { convertDockerfile, createBuildLinter, lintReadPart } from '../convert.ts'
import { parseDefinition } from '../definition.ts'
import type { DefinitionSource } from '../definition.ts'
import { sourceRange } from '../errors.ts'
import { wantedPlatforms } from '../platforms.ts'
import type { RequestFacts } from './answer-request.ts'
import { VERSION } from './describe.ts'
import { goJson, jsonLocation, jsonSource } from './request-answer.ts'
import type { RequestAnswer } from './request-answer.ts'
import { failOnFindings } from '../warnings.ts'

/**
 * `frontend.lint`: what lint rules say of the target, or of all stages when there is none, and what a build would fail with.
 * Shape: moby/buildkit frontend/subrequests/lint/lint.go.
 */
export async function answerLint(source: DefinitionSource, facts: RequestFacts): Promise<RequestAnswer> {
  const { file } = source
  const { findings, failure } = await lintDockerfile(source, facts)
  const results = {
    warnings: findings.map(jsonWarning),
    sources: [{ filename: file.name, data: jsonSource(file), language: 'Dockerfile' }],
    ...(failure !== undefined && { buildError: { message: failure.message, location: failureLocation(failure.source) } }),
  }
  return {
    json: goJson(results),
    text: findings.map((finding) => findingText(finding, file)).join(''),
    status: findings.length > 0 || failure !== undefined ? '1' : '0',
    version: VERSION,
  }
}

/** Findings in the order of lines, as far as the Dockerfile could be read. */
async function lintDockerfile(
  source: DefinitionSource,
  { options, inputs, host }: RequestFacts,
): Promise<{ findings: readonly LintFinding[]; failure?: BuildError }> {
  const [platforms] = wantedPlatforms(options.platforms, host.hostPlatform)
  let linter: Linter | undefined
  const findings = (): LintFinding[] => (linter?.findings ?? []).toSorted((a, b) => (a.range?.start.line ?? 0) - (b.range?.start.line ?? 0))
  try {
    const definition = parseDefinition(source, (part) => {
      linter = lintReadPart(part, source, options)
    })
    linter = createBuildLinter(definition, options)
    await convertDockerfile({ definition, options, inputs, host, platforms, linter }, options.target === '')
    failOnFindings(linter, definition)
    return { findings: findings() }
  } catch (error) {
    return { findings: findings(), failure: BuildError.from(error, {}) }
  }
}

function jsonWarning({ rule, message, range }: LintFinding): object {
  return {
    ruleName: rule.name,
    description: rule.description,
    url: rule.url,
    detail: message,
    location: range === undefined ? {} : jsonLocation(range),
  }
}

function failureLocation(source: SourceRange | undefined): object {
  return source === undefined ? {} : { ranges: [{ start: { line: source.start }, end: { line: source.end } }] }
}

function findingText({ rule, message, range }: LintFinding, file: SourceFile): string {
  const place = range === undefined ? '' : sourceExcerpt(sourceRange(file, range))
  return `\nWARNING: ${rule.name}${rule.url === '' ? '' : ` - ${rule.url}`}\n${message}\n${place}`
}
