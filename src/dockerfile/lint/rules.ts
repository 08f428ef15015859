import type { TextRange } from '../ranges.ts'
import type { LintFinding, LintRule, LintRuleName } from '../types.ts'

type Rule = LintRule & { readonly message: (...values: readonly string[]) => string }

const PAGES = 'https://docs.docker.com/go/dockerfile/rule/'

/** BuildKit's rules with its words. Source: moby/buildkit frontend/dockerfile/linter/ruleset.go. */
const RULES: Readonly<Record<LintRuleName, Rule>> = {
  StageNameCasing: rule('StageNameCasing', 'Stage names should be lowercase', (name) => `Stage name '${name}' should be lowercase`),
  FromAsCasing: rule(
    'FromAsCasing',
    "The 'as' keyword should match the case of the 'from' keyword",
    (from, as) => `'${as}' and '${from}' keywords' casing do not match`,
  ),
  NoEmptyContinuation: rule(
    'NoEmptyContinuation',
    'Empty continuation lines will become errors in a future release',
    () => 'Empty continuation line',
  ),
  ConsistentInstructionCasing: rule(
    'ConsistentInstructionCasing',
    'All commands within the Dockerfile should use the same casing (either upper or lower)',
    (keyword, casing) => `Command '${keyword}' should match the case of the command majority (${casing})`,
  ),
  DuplicateStageName: rule(
    'DuplicateStageName',
    'Stage names should be unique',
    (name) => `Duplicate stage name ${quote(name)}, stage names should be unique`,
  ),
  ReservedStageName: rule(
    'ReservedStageName',
    'Reserved words should not be used as stage names',
    (name) => `Stage name should not use the same name as reserved stage ${quote(name)}`,
  ),
  JSONArgsRecommended: rule(
    'JSONArgsRecommended',
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
    (keyword) => `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
  ),
  MaintainerDeprecated: rule(
    'MaintainerDeprecated',
    'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
    () => 'Maintainer instruction is deprecated in favor of using label',
  ),
  UndefinedArgInFrom: rule(
    'UndefinedArgInFrom',
    'FROM command must use declared ARGs',
    (name, near = '') => `FROM argument '${name}' is not declared${near && ` (did you mean ${near}?)`}`,
  ),
  UndefinedVar: rule(
    'UndefinedVar',
    'Variables should be defined before their use',
    (name, near = '') => `Usage of undefined variable '$${name}'${near && ` (did you mean $${near}?)`}`,
  ),
  WorkdirRelativePath: rule(
    'WorkdirRelativePath',
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
    (path) => `Relative workdir ${quote(path)} can have unexpected results if the base image changes`,
  ),
  MultipleInstructionsDisallowed: rule(
    'MultipleInstructionsDisallowed',
    'Multiple instructions of the same type should not be used in the same stage',
    (keyword) => `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
  ),
  LegacyKeyValueFormat: rule(
    'LegacyKeyValueFormat',
    'Legacy key/value format with whitespace separator should not be used',
    (keyword) => `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
  ),
  InvalidBaseImagePlatform: {
    ...rule(
      'InvalidBaseImagePlatform',
      'Base image platform does not match expected target platform',
      (image, expected, actual) =>
        `Base image ${image} was pulled with platform ${quote(actual)}, expected ${quote(expected)} for current build`,
    ),
    url: '',
  },
  RedundantTargetPlatform: rule(
    'RedundantTargetPlatform',
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    (variable) => `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
  ),
  SecretsUsedInArgOrEnv: rule(
    'SecretsUsedInArgOrEnv',
    'Sensitive data should not be used in the ARG or ENV commands',
    (keyword, name) => `Do not use ARG or ENV instructions for sensitive data (${keyword} ${quote(name)})`,
  ),
  InvalidDefaultArgInFrom: rule(
    'InvalidDefaultArgInFrom',
    'Default value for global ARG results in an empty or invalid base image name',
    (image) => `Default value for ARG ${image} results in empty or invalid base image name`,
  ),
  FromPlatformFlagConstDisallowed: rule(
    'FromPlatformFlagConstDisallowed',
    'FROM --platform flag should not use a constant value',
    (platform) => `FROM --platform flag should not use constant value ${quote(platform)}`,
  ),
  CopyIgnoredFile: rule(
    'CopyIgnoredFile',
    'Attempting to Copy file that is excluded by .dockerignore',
    (keyword, file) => `Attempting to ${keyword} file ${quote(file)} that is excluded by .dockerignore`,
  ),
  InvalidDefinitionDescription: experimental(
    'InvalidDefinitionDescription',
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    (keyword, name) => `Comment for ${keyword} should follow the format: \`# ${name} <description>\``,
  ),
  ExposeProtoCasing: rule(
    'ExposeProtoCasing',
    'Protocol in EXPOSE instruction should be lowercase',
    (port) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  ),
  ExposeInvalidFormat: rule(
    'ExposeInvalidFormat',
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
    (port) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  ),
}

/** All rules, by name. */
export const LINT_RULES: Readonly<Record<LintRuleName, LintRule>> = RULES

/**
 * A finding with BuildKit's message. `values` in the order of the message's parts: `('UndefinedVar', ['foo', 'FOO'], range)` where `FOO` is the suggestion;
 * `('InvalidBaseImagePlatform', [image, expected, actual])`. `stage`: it counts when this stage is built.
 */
export function lintFinding(name: LintRuleName, values: readonly string[], range?: TextRange, stage?: number): LintFinding {
  return { rule: RULES[name], message: RULES[name].message(...values), range, stage }
}

/** `UndefinedVar: Usage of undefined variable '$foo' (line 3)`. */
export function formatFinding({ rule, message, range }: LintFinding): string {
  return `${rule.name}: ${message}${range === undefined ? '' : ` (line ${range.start.line})`}`
}

function rule(name: LintRuleName, description: string, message: Rule['message']): Rule {
  // `JSONArgsRecommended` → `json-args-recommended`.
  const page = name.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase()
  return { name, description, url: `${PAGES}${page}/`, experimental: false, message }
}

function experimental(name: LintRuleName, description: string, message: Rule['message']): Rule {
  return { ...rule(name, description, message), experimental: true }
}

function quote(text = ''): string {
  return JSON.stringify(text)
}
