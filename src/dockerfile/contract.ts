/** Signatures of what is being written next; gone as soon as it is there. */
import type {
  Device,
  Dockerfile,
  EscapeCharacter,
  Expansion,
  ExpandOptions,
  ExposedPorts,
  IgnoreMatcher,
  LintConfig,
  Linter,
  LintFinding,
  LintRule,
  LintRuleName,
  Mount,
  StageInstruction,
  TextRange,
  Variables,
} from './types.ts'
import { EngineError } from '#errors'

/** INVALID_ARGUMENT with a place. The message holds `dockerfile parse error on line N: …` where Docker's does. */
export declare class DockerfileError extends EngineError {
  readonly range: TextRange | undefined
}

/** Throws {@link DockerfileError}. */
export declare function parseDockerfile(text: string, name?: string): Dockerfile
/** One instruction that is not FROM: an ONBUILD trigger, `commit --change`. Throws {@link DockerfileError}. */
export declare function parseInstruction(text: string, escape?: EscapeCharacter): StageInstruction
/** `# syntax=reference options`, also as `//` comment or JSON member. `value` is all of it, `reference` its first word. */
export declare function detectSyntax(text: string): { reference: string; value: string; line: number } | undefined

/** Variables, quotes and escapes of one word. Throws {@link DockerfileError} without range. */
export declare function expandWord(word: string, variables: Variables, options: ExpandOptions): Expansion
/** `expand` is given each member's value. Throws {@link DockerfileError} without range. */
export declare function parseMount(text: string, expand: (value: string) => string): Mount
export declare function parseDevice(text: string): Device
/** After expansion: one word. */
export declare function parseExposedPorts(word: string): ExposedPorts

export declare function parseIgnoreFile(text: string): string[]
export declare function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher

export declare const LINT_RULES: Readonly<Record<LintRuleName, LintRule>>
/** A finding with BuildKit's message made of `values`, e.g. `('UndefinedVar', ['foo', 'FOO'], range)`. */
export declare function lintFinding(rule: LintRuleName, values: readonly string[], range?: TextRange): LintFinding
/** `UndefinedVar: Usage of undefined variable '$foo' (line 3)`. */
export declare function formatFinding(finding: LintFinding): string
/** Value of `# check` or of BUILDKIT_DOCKERFILE_CHECK. */
export declare function parseLintConfig(text: string): LintConfig
export declare function createLinter(config: LintConfig): Linter
/** The option that `word` may have been meant to be; undefined: none is near, or it is one of them. */
export declare function suggestWord(word: string, options: Iterable<string>): string | undefined
