import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseChallenges } from './challenges.ts'

const parsed = (header: string | undefined): [string, Record<string, string>][] =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }])

describe('parseChallenges', () => {
  const CASES: [string, string | undefined, [string, Record<string, string>][]][] = [
    ['nothing', undefined, []],
    ['basic', 'Basic realm="r"', [['basic', { realm: 'r' }]]],
    [
      'a token server with commas in its scope',
      'Bearer realm="https://auth.example/token?a=b",service="reg",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://auth.example/token?a=b', service: 'reg', scope: 'repository:a/b:pull,push' }]],
    ],
    [
      'several challenges in one header',
      'Basic realm="one, two" , Bearer realm=x, error="invalid_token"',
      [
        ['basic', { realm: 'one, two' }],
        ['bearer', { realm: 'x', error: 'invalid_token' }],
      ],
    ],
    [
      'a scheme without parameters and one with a token',
      'Negotiate, NTLM dG9rZW4=, Basic realm="r"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'r' }],
      ],
    ],
    ['quoted pairs and spaces round the equals sign', 'Basic realm = "a \\"b\\" \\\\c"', [['basic', { realm: 'a "b" \\c' }]]],
    ['names in any case', 'BEARER Realm="x"', [['bearer', { realm: 'x' }]]],
    ['an open quote', 'Bearer realm="x', [['bearer', {}]]],
    ['a member every object has', 'Basic __proto__="x"', [['basic', { ['__proto__']: 'x' }]]],
  ]
  for (const [name, header, expected] of CASES) {
    it(`reads ${name}`, () => assert.deepEqual(parsed(header), expected))
  }

  it('ends on a header made of separators only', () => assert.deepEqual(parsed(', , ,'), []))
})
