import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDockerfile } from '../parse-dockerfile.ts'

describe('findInText', () => {
  const TABLE: readonly (readonly [text: string, ...findings: readonly string[]])[] = [
    ['FROM a AS b\nRUN x'],
    ['FROM a AS Base', "2 StageNameCasing Stage name 'Base' should be lowercase"],
    ['FROM a as b', "2 FromAsCasing 'as' and 'FROM' keywords' casing do not match"],
    ['from a AS b', "2 FromAsCasing 'AS' and 'from' keywords' casing do not match"],
    ['FROM a\nRUN x \\\n\n y', '5 NoEmptyContinuation Empty continuation line'],
    ['FROM a\nrun x', "3 ConsistentInstructionCasing Command 'run' should match the case of the command majority (uppercase)"],
    ['from a\nrun x\nCMD ["y"]', "4 ConsistentInstructionCasing Command 'CMD' should match the case of the command majority (lowercase)"],
    ['FROM a\nRun x', "3 ConsistentInstructionCasing Command 'Run' should match the case of the command majority (uppercase)"],
    [
      'FROM a AS b\nFROM c AS B',
      "3 StageNameCasing Stage name 'B' should be lowercase",
      '3 DuplicateStageName Duplicate stage name "b", stage names should be unique',
    ],
    ['FROM a AS scratch', '2 ReservedStageName Stage name should not use the same name as reserved stage "scratch"'],
    ['FROM a\nMAINTAINER me', '3 MaintainerDeprecated Maintainer instruction is deprecated in favor of using label'],
    ['FROM a\nENV k v', '3 LegacyKeyValueFormat "ENV key=value" should be used instead of legacy "ENV key value" format'],
    [
      'FROM a\nCMD ["x"]\nCMD ["y"]',
      '3 MultipleInstructionsDisallowed Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    ],
    ['FROM a\nCMD ["x"]\nFROM b\nCMD ["y"]'],
    [
      'FROM --platform=$TARGETPLATFORM a',
      '2 RedundantTargetPlatform Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    ],
    ['FROM --platform=linux/amd64 a', '2 FromPlatformFlagConstDisallowed FROM --platform flag should not use constant value "linux/amd64"'],
    ['FROM --platform=linux/amd64 a AS for-amd64'],
    ['FROM --platform=$BUILDPLATFORM a'],
    [
      'FROM a\nARG API_KEY\nENV A=1 TOKEN=x PUBLIC_KEY=y TOKEN_FILE=z',
      '3 SecretsUsedInArgOrEnv Do not use ARG or ENV instructions for sensitive data (ARG "API_KEY")',
      '4 SecretsUsedInArgOrEnv Do not use ARG or ENV instructions for sensitive data (ENV "TOKEN")',
    ],
    ['FROM a\n# what\nARG V', '4 InvalidDefinitionDescription Comment for ARG should follow the format: `# V <description>`'],
    ['FROM a\n# what\nARG V W', '4 InvalidDefinitionDescription Comment for ARG should follow the format: `# <arg_key> <description>`'],
    ['FROM a\n# V is this\nARG V'],
  ]
  for (const [text, ...findings] of TABLE) {
    it(`finds in ${JSON.stringify(text)}`, () => {
      const found = parseDockerfile(`# escape=\\\n${text}`).findings
      assert.deepEqual(
        found.map(({ rule, message, range }) => `${range?.start.line} ${rule.name} ${message}`),
        findings,
      )
    })
  }

  it('says which stage a finding counts for', () => {
    const { findings } = parseDockerfile('ARG KEY\nFROM a\nFROM b\nARG TOKEN')
    assert.deepEqual(
      findings.map(({ stage }) => stage),
      [undefined, 1],
    )
  })
})
