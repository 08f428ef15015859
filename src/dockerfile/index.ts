/**
 * The language of Dockerfiles: text in, data out. Nothing here reads files or knows images; the build's frontend turns the data into a graph.
 *
 * A text is read in three steps: *lines* (directives, comments, continued lines, heredocs), *words* of each instruction with its flags, and *stages*. What an
 * instruction says is kept as written: variables have values only where the frontend knows them, so `expandWord` and the functions that read a flag's value
 * (`parseMount` …) are called by it. Sources of the rules: moby/buildkit frontend/dockerfile (parser, instructions, shell, linter), moby/patternmatcher.
 *
 * Texts come from clients: reading them takes bounded time and memory (`docs/dockerfile.md` has the limits), and no regular expression is made of a pattern. All
 * errors are `DockerfileError`s with Docker's words; those of a file know their place.
 *
 * Glossary: *directive*, `# name=value` in the first lines; *heredoc*, `<<EOF` with its content in the lines behind; *shell form* and *exec form* of a command;
 * *trigger*, the instruction inside of ONBUILD; *finding*, what a lint rule has to say.
 *
 * ```ts
 * const file = parseDockerfile('FROM alpine AS base\nENV A=1 B="$A x"\nRUN make', 'Dockerfile')
 * const [stage] = file.stages // → { index: 0, from: { image: 'alpine', name: 'base' }, instructions: [{ kind: 'env', … }, { kind: 'run', … }] }
 * expandWord('"$A x"', new Map([['A', '1']]), { escape: file.escape }).text // → '1 x'
 * ```
 */
export { detectSyntax } from './directives.ts'
export { DockerfileError } from './dockerfile-error.ts'
export type { ReadPart } from './dockerfile-error.ts'
export { Effort } from './effort.ts'
export { parseDevice } from './device.ts'
export { parseExposedPorts } from './exposed-ports.ts'
export { createIgnoreMatcher } from './ignore/create-ignore-matcher.ts'
export { parseIgnoreFile } from './ignore/parse-ignore-file.ts'
export { commandArguments } from './instructions/command-arguments.ts'
export { healthConfig } from './instructions/health-config.ts'
export { createLinter, parseLintConfig } from './lint/linter.ts'
export { formatFinding, LINT_RULES, lintFinding } from './lint/rules.ts'
export { parseMount } from './mount.ts'
export { parseChanges } from './parse-changes.ts'
export { parseDockerfile, parseInstruction } from './parse-dockerfile.ts'
export { sourceExcerpt } from './source-excerpt.ts'
export { suggestWord } from './suggest-word.ts'
export { expandWord } from './words/expand-word.ts'
export type { HealthConfig } from './instructions/health-config.ts'
export type {
  AddInstruction,
  ArgDefinition,
  ArgInstruction,
  BindMount,
  CacheMount,
  ChangeInstruction,
  CmdInstruction,
  CommandLine,
  CopyInstruction,
  CopySources,
  Device,
  EntrypointInstruction,
  EnvInstruction,
  ExposedPorts,
  ExposeInstruction,
  FromInstruction,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
  KeyValue,
  LabelInstruction,
  MaintainerInstruction,
  Mount,
  OnbuildInstruction,
  RunInstruction,
  SecretMount,
  ShellInstruction,
  SshMount,
  StageInstruction,
  StopSignalInstruction,
  TmpfsMount,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from './instructions/types.ts'
export type { Position, TextRange } from './ranges.ts'
export type {
  Directive,
  DirectiveName,
  Dockerfile,
  EscapeCharacter,
  ExpandOptions,
  Expansion,
  IgnoreMatcher,
  LintConfig,
  Linter,
  LintFinding,
  LintRule,
  LintRuleName,
  Stage,
  Variables,
} from './types.ts'
