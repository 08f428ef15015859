import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { SCRATCH } from './graph/ref.ts'
import { readStatements } from './read-statements.ts'
import type { FoundStatement } from './types.ts'

const deps = {
  files: createFiles(),
  snapshotter: {
    view: () => {
      throw new Error('not part of this test')
    },
  },
}

function statementsIn(files: Record<string, string>): FoundStatement[] {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'statements-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text)
  return readStatements(deps, { kind: 'directory', path: directory.path, generation: '1' })
}

const statement = (members: object): string =>
  JSON.stringify({ predicateType: 'https://spdx.dev/Document', predicate: { packages: [] }, ...members })

describe('readStatements', () => {
  it('reads them all, the one about the image first', () => {
    const subject = [{ name: '', digest: { sha256: 'aa' } }]
    const found = statementsIn({ 'a.spdx.json': statement({ subject }), 'sbom.spdx.json': statement({}) })
    assert.deepEqual(
      found.map(({ file, subject }) => [file, subject]),
      [
        ['sbom.spdx.json', []],
        ['a.spdx.json', [{ name: '_', digest: { sha256: 'aa' } }]],
      ],
    )
  })

  it('reads large ones, and refuses too much', () => {
    const large = (megabytes: number): string => statement({ predicate: { text: 'x'.repeat(megabytes << 20) } })
    const lengths = statementsIn({ 'sbom.spdx.json': large(20) }).map(({ predicate }) => (predicate as { text: string }).text.length)
    assert.deepEqual(lengths, [20 << 20])
    assert.throws(() => statementsIn({ a: large(33), b: large(32) }), {
      code: 'INVALID_ARGUMENT',
      message: /^a scanner wrote \d+ bytes, more than/,
    })
  })

  it('finds none where a scanner wrote nothing', () => {
    assert.deepEqual(readStatements(deps, SCRATCH), [])
    assert.deepEqual(statementsIn({}), [])
  })

  it('refuses what is no statement, and provenance, which is not for scanners to tell', () => {
    const refused = (text: string, message: RegExp): void =>
      assert.throws(() => statementsIn({ 'sbom.spdx.json': text }), { code: 'INVALID_ARGUMENT', message })
    refused('{', /^cannot decode in-toto statement sbom\.spdx\.json: /)
    refused('null', /predicateType and predicate are missing/)
    refused(statement({ predicate: 1 }), /predicateType and predicate are missing/)
    refused(statement({ subject: [{}] }), /a subject is none/)
    refused(statement({ predicateType: 'https://slsa.dev/provenance/v1' }), /^frontend may not bundle provenance attestations$/)
    assert.throws(() => statementsIn(Object.fromEntries(Array.from({ length: 101 }, (_, index) => [String(index), '{}']))), /more than 100/)
  })
})
