import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDockerfile } from '../parse-dockerfile.ts'
import { createLinter, parseLintConfig } from './linter.ts'
import { formatFinding, LINT_RULES, lintFinding } from './rules.ts'

const RANGE = { start: { line: 3, column: 1 }, end: { line: 3, column: 9 } }

describe('parseLintConfig', () => {
  it('reads its options', () => {
    assert.deepEqual(parseLintConfig('skip=A, B ;error=true;experimental=all'), {
      skip: new Set(['A', 'B']),
      experimental: 'all',
      error: true,
    })
    assert.deepEqual(parseLintConfig(' '), { skip: new Set(), experimental: new Set(), error: false })
  })
  it('refuses others', () => {
    assert.throws(() => parseLintConfig('skip'), { message: 'invalid check option "skip"' })
    assert.throws(() => parseLintConfig('skp=all'), { message: 'invalid check option "skp"' })
    assert.throws(() => parseLintConfig('error=maybe'), /failed to parse check option "error=maybe": strconv.ParseBool/)
  })
})

describe('createLinter', () => {
  it('keeps what counts', () => {
    const linter = createLinter(parseLintConfig('skip=UndefinedVar;error=true'))
    assert.deepEqual([linter.wants(LINT_RULES.UndefinedVar, RANGE), linter.wants(LINT_RULES.StageNameCasing, undefined)], [false, true])
    assert.equal(linter.add(lintFinding('UndefinedVar', ['a'])), false)
    assert.equal(linter.add(lintFinding('InvalidDefinitionDescription', ['ARG', 'a'])), false)
    assert.equal(linter.error(), undefined)
    assert.equal(linter.add(lintFinding('StageNameCasing', ['A'], RANGE)), true)
    linter.add(lintFinding('StageNameCasing', ['B'], RANGE))
    assert.equal(linter.findings.length, 2)
    assert.equal(linter.error()?.message, 'lint violation found for rules: StageNameCasing')
  })
  it('takes experimental rules that are asked for, even when all others are skipped', () => {
    const linter = createLinter(parseLintConfig('skip=all;experimental=InvalidDefinitionDescription'))
    assert.equal(linter.add(lintFinding('InvalidDefinitionDescription', ['ARG', 'a'])), true)
    assert.equal(linter.add(lintFinding('StageNameCasing', ['A'])), false)
    assert.equal(linter.error(), undefined)
  })
})

describe('inlineChecks', () => {
  it('hold for one instruction', () => {
    const { checks, findings } = parseDockerfile(
      'FROM a AS A\n# check=skip=MaintainerDeprecated,X as I say so\nMAINTAINER b\n# check=nonsense\nMAINTAINER c\n',
    )
    assert.deepEqual([...checks], [[3, { skip: new Set(['MaintainerDeprecated', 'X']), experimental: new Set(), error: false }]])
    const linter = createLinter(parseLintConfig(''), checks)
    assert.deepEqual(
      findings.filter((finding) => linter.add(finding)).map(({ rule, range }) => [rule.name, range?.start.line]),
      [
        ['StageNameCasing', 1],
        ['MaintainerDeprecated', 5],
      ],
    )
  })

  it('may ask for experimental rules', () => {
    const { checks } = parseDockerfile('FROM a\n# Check = experimental=all\nARG a\n')
    const linter = createLinter(parseLintConfig(''), checks)
    assert.equal(
      linter.wants(LINT_RULES.InvalidDefinitionDescription, { start: { line: 3, column: 1 }, end: { line: 3, column: 2 } }),
      true,
    )
    assert.equal(linter.wants(LINT_RULES.InvalidDefinitionDescription, undefined), false)
  })
})

describe('LINT_RULES', () => {
  it('has the 22 rules of BuildKit with their pages', () => {
    assert.equal(Object.keys(LINT_RULES).length, 22)
    assert.equal(LINT_RULES.JSONArgsRecommended.url, 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/')
    assert.equal(LINT_RULES.SecretsUsedInArgOrEnv.url, 'https://docs.docker.com/go/dockerfile/rule/secrets-used-in-arg-or-env/')
    assert.equal(LINT_RULES.InvalidBaseImagePlatform.url, '')
  })
})

describe('formatFinding', () => {
  it('names rule and line', () => {
    assert.equal(
      formatFinding(lintFinding('UndefinedVar', ['foo', 'FOO'], RANGE)),
      "UndefinedVar: Usage of undefined variable '$foo' (did you mean $FOO?) (line 3)",
    )
    assert.equal(formatFinding(lintFinding('UndefinedVar', ['foo'])), "UndefinedVar: Usage of undefined variable '$foo'")
  })
})
