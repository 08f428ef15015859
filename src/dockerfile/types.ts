/** What a parsed Dockerfile consists of, and what is asked of it. Instructions are in `instructions/types.ts`, the manual is in `index.ts`. */

import type { Effort } from './effort.ts'
import type { ArgInstruction, FromInstruction, StageInstruction } from './instructions/types.ts'
import type { TextRange } from './ranges.ts'

/** The character that escapes: continues lines, and takes a special meaning away inside words. */
export type EscapeCharacter = '\\' | '`'

/** `# name=value` in the first lines. */
export interface Directive {
  readonly name: DirectiveName
  readonly value: string
  readonly range: TextRange
}

export type DirectiveName = 'syntax' | 'escape' | 'check'

export interface Dockerfile {
  /** For messages: `Dockerfile`. */
  readonly name: string
  readonly text: string
  readonly escape: EscapeCharacter
  readonly directives: readonly Directive[]
  /** ARG in front of the first FROM. */
  readonly globalArgs: readonly ArgInstruction[]
  /** In order; at least one. */
  readonly stages: readonly Stage[]
  /** What can be said of the text alone, whatever `# check` skips; in order of the rules' finding. See `createLinter`. */
  readonly findings: readonly LintFinding[]
  /** `# check` in front of single instructions, by their first lines. Its `error` means nothing. */
  readonly checks: ReadonlyMap<number, LintConfig>
}

export interface Stage {
  /** Counts from 0: `COPY --from=0`. */
  readonly index: number
  readonly from: FromInstruction
  /** Without FROM. */
  readonly instructions: readonly StageInstruction[]
}

// ── Variables ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Looks a variable up. undefined: it is not set. A `Map`, for instance. */
export interface Variables {
  get(name: string): string | undefined
}

export interface ExpandOptions {
  readonly escape: EscapeCharacter
  /** Quotes stay in the result. Default false. */
  readonly keepQuotes?: boolean
  /** Escape characters stay in the result. Default false. */
  readonly keepEscapes?: boolean
  /** Quotes are characters as any other: for heredocs' contents. Default false. */
  readonly ignoreQuotes?: boolean
  /** `$unset` stays as it is. Default false: it becomes empty. */
  readonly keepUnset?: boolean
  /** Shared by all words of a Dockerfile. Default: the word has one of its own. */
  readonly effort?: Effort
}

export interface Expansion {
  readonly text: string
  /** The text split at blanks that were not quoted. */
  readonly words: readonly string[]
  /** Variables that have been looked up and found. */
  readonly used: ReadonlySet<string>
  /** Variables that have been looked up and are not set; those with `:-`, `-`, `+`, `?` forms are also here. */
  readonly unset: ReadonlySet<string>
}

// ── Ignore files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface IgnoreMatcher {
  /** The patterns, clean: without empty ones, in order. */
  readonly patterns: readonly string[]
  /** There are patterns with `!`: what is inside of an ignored directory may still count. */
  readonly hasExceptions: boolean
  /** Whether `path` (slashes, relative, no `./`) is ignored, by itself or because a directory above it is. The last pattern that matches decides. */
  ignores(path: string): boolean
  /** Whether everything below an ignored directory is ignored, too, so that it need not be looked into. */
  prunes(directory: string): boolean
  /** Whether a pattern with `!` may speak of something inside of `directory`; empty: of anything. One that a later pattern undoes does not. */
  mayExceptBelow(directory: string): boolean
}

// ── Lint ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type LintRuleName =
  | 'StageNameCasing'
  | 'FromAsCasing'
  | 'NoEmptyContinuation'
  | 'ConsistentInstructionCasing'
  | 'DuplicateStageName'
  | 'ReservedStageName'
  | 'JSONArgsRecommended'
  | 'MaintainerDeprecated'
  | 'UndefinedArgInFrom'
  | 'UndefinedVar'
  | 'WorkdirRelativePath'
  | 'MultipleInstructionsDisallowed'
  | 'LegacyKeyValueFormat'
  | 'InvalidBaseImagePlatform'
  | 'RedundantTargetPlatform'
  | 'SecretsUsedInArgOrEnv'
  | 'InvalidDefaultArgInFrom'
  | 'FromPlatformFlagConstDisallowed'
  | 'CopyIgnoredFile'
  | 'InvalidDefinitionDescription'
  | 'ExposeProtoCasing'
  | 'ExposeInvalidFormat'

export interface LintRule {
  readonly name: LintRuleName
  readonly description: string
  /** Page that explains it. */
  readonly url: string
  /** Only counts when it is asked for. */
  readonly experimental: boolean
}

export interface LintFinding {
  readonly rule: LintRule
  /** `Stage name 'Base' should be lowercase`. */
  readonly message: string
  readonly range: TextRange | undefined
  /** Counts only when the stage of this index is built. undefined: always. */
  readonly stage: number | undefined
}

/** `# check=skip=A,B;error=true;experimental=C`. */
export interface LintConfig {
  readonly skip: 'all' | ReadonlySet<string>
  readonly experimental: 'all' | ReadonlySet<string>
  /** A finding fails the build. */
  readonly error: boolean
}

/** Collects what counts under a config. */
export interface Linter {
  readonly config: LintConfig
  /** In the order in which they were added. */
  readonly findings: readonly LintFinding[]
  /** Whether findings of this rule count, at this place. */
  wants(rule: LintRule, range: TextRange | undefined): boolean
  /** Keeps it unless the config skips its rule. Says whether it was kept. */
  add(finding: LintFinding): boolean
  /** What a build fails with when `error` is set and something was found. Place: the first finding. */
  error(): Error | undefined
}
