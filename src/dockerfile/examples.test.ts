/** Every example of `test/dockerfiles` as parsed, against its `parsed.json`. `node src/dockerfile/examples.test.ts --update` writes them anew. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DockerfileError } from './dockerfile-error.ts'
import { formatFinding } from './lint/rules.ts'
import { parseDockerfile } from './parse-dockerfile.ts'
import type { TextRange } from './ranges.ts'

const EXAMPLES = join(import.meta.dirname, '../../test/dockerfiles')

describe('examples of Dockerfiles', () => {
  const names = readdirSync(EXAMPLES).filter((name) => /^\d/.test(name))

  it('are many', () => assert.ok(names.length >= 150))

  for (const name of names) {
    it(`parses ${name}`, () => {
      const golden = join(EXAMPLES, name, 'parsed.json')
      const parsed = plain(parse(readFileSync(join(EXAMPLES, name, 'Dockerfile'), 'utf8')))
      if (process.argv.includes('--update')) writeFileSync(golden, `${JSON.stringify(parsed, null, 2)}\n`)
      assert.ok(existsSync(golden), `${golden} is missing`)
      assert.deepEqual(parsed, JSON.parse(readFileSync(golden, 'utf8')))
    })
  }
})

/** The parsed form; of a file that cannot be parsed, what is said about it. */
function parse(text: string): object {
  try {
    const { escape, directives, globalArgs, stages, findings } = parseDockerfile(text)
    return { escape, directives, globalArgs, stages, findings: findings.map(formatFinding) }
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    return { error: error.message, range: error.range }
  }
}

/** As JSON has it, with ranges in short: `1:1-2:5`. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value, (_name, member: unknown) => (isRange(member) ? short(member) : member)))
}

function isRange(value: unknown): value is TextRange {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value
}

function short({ start, end }: TextRange): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`
}
