import { parseGoBoolean } from '#lib'
import { DockerfileError } from '../dockerfile-error.ts'
import type { TextRange } from '../ranges.ts'
import type { LintConfig, Linter, LintFinding, LintRule } from '../types.ts'

/** What nobody has configured. */
const DEFAULTS: LintConfig = { skip: new Set(), experimental: new Set(), error: false }

/** Value of `# check` or of BUILDKIT_DOCKERFILE_CHECK: `skip=A,B;error=true;experimental=all`. Throws {@link DockerfileError} without range. */
export function parseLintConfig(text: string): LintConfig {
  if (text.trim() === '') return DEFAULTS
  const config: { -readonly [member in keyof LintConfig]: LintConfig[member] } = { ...DEFAULTS }
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0) throw new DockerfileError(`invalid check option ${JSON.stringify(part)}`)
    const name = part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    if (name === 'skip' || name === 'experimental') config[name] = parseRules(value)
    else if (name === 'error') config.error = parseError(value, part)
    else throw new DockerfileError(`invalid check option ${JSON.stringify(name)}`)
  }
  return config
}

/** Experimental rules count when they are asked for, the others unless they are skipped. `checks`: for instructions by their first lines, beside `config`. */
export function createLinter(config: LintConfig, checks: ReadonlyMap<number, LintConfig> = new Map()): Linter {
  const findings: LintFinding[] = []
  const wants = ({ name, experimental }: LintRule, range: TextRange | undefined): boolean => {
    const own = (range && checks.get(range.start.line)) ?? DEFAULTS
    if (experimental) return includes(config.experimental, name) || includes(own.experimental, name)
    return !includes(config.skip, name) && !includes(own.skip, name)
  }
  return {
    config,
    findings,
    wants,
    add(finding) {
      const counts = wants(finding.rule, finding.range)
      if (counts) findings.push(finding)
      return counts
    },
    error() {
      if (!config.error || findings.length === 0) return undefined
      const names = new Set(findings.map(({ rule }) => rule.name))
      return new DockerfileError(`lint violation found for rules: ${[...names].join(', ')}`, findings[0]?.range)
    },
  }
}

function parseRules(value: string): 'all' | ReadonlySet<string> {
  return value === 'all' ? value : new Set(value.split(',').map((name) => name.trim()))
}

function parseError(value: string, part: string): boolean {
  try {
    return parseGoBoolean(value)
  } catch (error) {
    throw new DockerfileError(`failed to parse check option ${JSON.stringify(part)}: ${(error as Error).message}`, undefined, {
      cause: error,
    })
  }
}

function includes(rules: 'all' | ReadonlySet<string>, name: string): boolean {
  return rules === 'all' || rules.has(name)
}
