import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromJson, policy, type JsonValue } from '#grpc'
import { hostPlatform } from '#oci'
import { sourcePolicy } from './source-policy.ts'

const ALPINE = 'docker-image://docker.io/library/alpine:latest'

/** What becomes of a source: its name, or why it is denied. Rules are as in buildx's file. */
function judge(rules: JsonValue[], identifier: string, attributes: Record<string, string> = {}): string {
  const judged = sourcePolicy(fromJson(policy.PolicySchema, { version: 1, rules }), hostPlatform())
  try {
    const op = judged?.({ identifier, attributes }, undefined)
    if (op === undefined) return 'same'
    return op.kind === 'image' ? op.reference : op.kind === 'http' ? `${op.url} ${op.checksum ?? ''}`.trim() : op.kind
  } catch (error) {
    return (error as Error).message
  }
}

const rule = (action: string, identifier: string, more: Record<string, JsonValue> = {}, update?: JsonValue): JsonValue => ({
  action,
  selector: { identifier, ...more },
  ...(update !== undefined && { updates: update }),
})
const denied = (identifier: string): string => `source ${JSON.stringify(identifier)} denied by policy: source denied by policy`

describe('sourcePolicy', () => {
  it('is none without rules', () => {
    assert.equal(sourcePolicy(undefined, hostPlatform()), undefined)
    assert.equal(judge([], ALPINE), 'same')
  })

  it('denies and allows, the last rule that is about a source first', () => {
    assert.equal(judge([rule('DENY', ALPINE)], ALPINE), denied(ALPINE))
    assert.equal(judge([rule('DENY', '*'), rule('ALLOW', 'docker-image://docker.io/library/*')], ALPINE), 'same')
    assert.equal(judge([rule('ALLOW', ALPINE), rule('DENY', '*')], ALPINE), denied(ALPINE))
    assert.equal(judge([rule('DENY', 'docker-image://*'), rule('ALLOW', '*debian*')], ALPINE), denied(ALPINE))
    assert.equal(judge([rule('DENY', 'docker-image://docker.io/library/*')], 'https://example.com/a'), 'same')
  })

  it('matches exactly, by stars, and by patterns', () => {
    assert.equal(judge([rule('DENY', 'docker-image://*', { matchType: 'EXACT' })], ALPINE), 'same')
    assert.equal(judge([rule('DENY', ALPINE, { match_type: 'EXACT' })], ALPINE), denied(ALPINE))
    assert.equal(judge([rule('DENY', '^docker-image://.*/(alpine|busybox)(:.*)?$', { matchType: 'REGEX' })], ALPINE), denied(ALPINE))
    assert.equal(judge([rule('DENY', 'Alpine', { matchType: 'REGEX' })], ALPINE), 'same')
    assert.equal(judge([rule('DENY', '(?i)Alpine', { matchType: 'REGEX' })], ALPINE), denied(ALPINE))
  })

  it('looks at attributes', () => {
    const constrained = (condition: string, value: string): JsonValue[] => [
      rule('DENY', '*', { constraints: [{ key: 'http.checksum', value, condition }] }),
    ]
    const url = 'https://example.com/a'
    assert.equal(judge(constrained('EQUAL', ''), url), denied(url))
    assert.equal(judge(constrained('EQUAL', ''), url, { 'http.checksum': 'sha256:aa' }), 'same')
    assert.equal(judge(constrained('NOTEQUAL', 'sha256:aa'), url, { 'http.checksum': 'sha256:aa' }), 'same')
    assert.equal(judge(constrained('MATCHES', '^sha256:'), url, { 'http.checksum': 'sha256:aa' }), denied(url))
  })

  it('converts by name, star, group and attribute', () => {
    const to = (identifier: string): JsonValue => ({ identifier })
    assert.equal(
      judge([rule('CONVERT', ALPINE, {}, to('docker-image://docker.io/library/alpine:3.18'))], ALPINE),
      'docker.io/library/alpine:3.18',
    )
    const mirror = rule('CONVERT', 'docker-image://docker.io/*', {}, to('docker-image://mirror.test/${1}'))
    assert.equal(judge([mirror], ALPINE), 'mirror.test/library/alpine:latest')
    const pattern = rule('CONVERT', 'alpine:(?P<tag>\\w+)', { matchType: 'REGEX' }, to('alpine:${tag}-slim'))
    assert.match(judge([pattern], ALPINE), /too many mutations/, 'it matches its own result')
    const anchored = rule('CONVERT', '^(.*)/alpine:(\\w+)$', { matchType: 'REGEX' }, to('$1/alpine:$2-slim'))
    assert.equal(judge([anchored], ALPINE), 'docker.io/library/alpine:latest-slim')
    const sum = `sha256:${'a'.repeat(64)}`
    assert.equal(
      judge([rule('CONVERT', 'https://*', {}, { attrs: { 'http.checksum': sum } })], 'https://a.test/x'),
      `https://a.test/x ${sum}`,
    )
  })

  it('reaches another repository by its own address', () => {
    const fullUrl = 'ssh://git@example.com/a/b.git'
    const remoteAfter = (to: JsonValue): string | undefined => {
      const rules = [rule('CONVERT', 'git://example.com/a/b.git#main', {}, to)]
      const policyOf = sourcePolicy(fromJson(policy.PolicySchema, { version: 1, rules }), hostPlatform())
      const op = policyOf?.({ identifier: 'git://example.com/a/b.git#main', attributes: { 'git.fullurl': fullUrl } }, undefined)
      return op?.kind === 'git' ? op.remote : undefined
    }
    assert.equal(remoteAfter({ identifier: 'git://example.com/a/b.git#v1' }), fullUrl)
    assert.equal(remoteAfter({ identifier: 'git://mirror.test/b.git#main' }), 'https://mirror.test/b.git')
    const own = 'ssh://git@mirror.test/b.git'
    assert.equal(remoteAfter({ identifier: 'git://mirror.test/b.git#main', attrs: { 'git.fullurl': own } }), own)
  })

  it('judges anew what it has converted, and ends where rules go round in a circle', () => {
    const to = (from: string, identifier: string): JsonValue => rule('CONVERT', from, {}, { identifier })
    const [a, b, c] = ['docker-image://a:1', 'docker-image://b:1', 'docker-image://c:1']
    assert.equal(judge([to(a, b), to(b, c), rule('DENY', c)], a), denied(c))
    assert.equal(judge([to(a, b), to(b, a)], a), 'too many mutations on a single source: too many operations')
  })

  it('refuses rules that are none', () => {
    const CASES: [JsonValue, RegExp][] = [
      [{ action: 'DENY' }, /invalid nil selector in policy/],
      [rule('CONVERT', ALPINE), /missing destination for convert rule/],
      [{ action: 7, selector: { identifier: 'x' } }, /unknown type/],
    ]
    for (const [entry, text] of CASES) assert.throws(() => judge([entry], ALPINE), text)
    assert.match(judge([rule('DENY', 'a**')], ALPINE), /invalid wildcard/)
    assert.match(judge([rule('DENY', '(', { matchType: 'REGEX' })], ALPINE), /invalid regex "\("/)
    assert.match(judge([rule('DENY', '(?=a)', { matchType: 'REGEX' })], ALPINE), /invalid or unsupported Perl syntax/)
    const ofPattern = (pattern: string): string => judge([rule('DENY', pattern, { matchType: 'REGEX' })], ALPINE)
    for (const pattern of ['[[:alpha:]]', '[]a]', String.raw`\x{61}`]) assert.match(ofPattern(pattern), /is not supported/)
    assert.match(ofPattern(String.raw`alpine\Z`), /invalid or unsupported Perl syntax/)
    assert.equal(ofPattern(String.raw`x\\Z|\Adocker-image:\/\/\S+\z`), denied(ALPINE))
  })

  it('stops a pattern that would never come to an end', () => {
    const identifier = `https://example.com/${'a'.repeat(60)}!`
    assert.match(judge([rule('DENY', '(a+)+$', { matchType: 'REGEX' })], identifier), /takes too long/)
  })
})
