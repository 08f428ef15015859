import type { Effort, IgnoreMatcher, Linter, LintRuleName, TextRange } from '#dockerfile'
import { LINT_RULES, lintFinding } from '#dockerfile'
import type { FrontendHost } from '../types.ts'
import type { NamedContexts } from './context/named-contexts.ts'
import type { Definition } from './definition.ts'
import type { GlobalArguments } from './global-arguments.ts'
import type { FrontendOptions } from './options.ts'
import type { BuildPlatforms } from './platforms.ts'
import type { StageList } from './stage-list.ts'
import type { LateTree } from './tree.ts'

/** A Dockerfile on its way to a graph, for one platform: what all its stages share. */
export interface Conversion {
  readonly definition: Definition
  readonly options: FrontendOptions
  readonly host: FrontendHost
  readonly platforms: BuildPlatforms
  readonly globals: GlobalArguments
  /** Seconds since the epoch that everything is said to be made at. */
  readonly created: number | undefined
  readonly contexts: NamedContexts
  /** What steps read of the build's context. */
  readonly contextPaths: Set<string>
  readonly context: LateTree
  /** Set before instructions are carried out. */
  ignore: IgnoreMatcher | undefined
  readonly stages: StageList
  /** How many there are, triggers included. */
  instructions: number
  readonly linter: Linter
  /** What is left of what it may cost. */
  readonly effort: Effort
}

/** Nobody reads more. */
const MAX_FINDINGS = 1000

/** Tells what a lint rule has to say, unless it is not to count. `values` may be a function where they take time to find. */
export function lint(
  { linter }: Conversion,
  rule: LintRuleName,
  values: readonly string[] | (() => readonly string[]),
  range: TextRange | undefined,
): void {
  if (linter.findings.length >= MAX_FINDINGS || !linter.wants(LINT_RULES[rule], range)) return
  linter.add(lintFinding(rule, typeof values === 'function' ? values() : values, range))
}
