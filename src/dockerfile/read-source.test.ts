import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSource } from './read-source.ts'

const sources = (text: string): string[] => readSource(text).instructions.map(({ source }) => source)

describe('readSource', () => {
  it('joins continued lines without comments and empty lines', () => {
    const { instructions, emptyContinuations } = readSource('RUN a \\\n  # no\n\n  b \\  \n\tc\nCMD d')
    assert.deepEqual(
      instructions.map(({ source }) => source),
      ['RUN a   b \tc', 'CMD d'],
    )
    assert.deepEqual(
      emptyContinuations.map(({ start }) => start.line),
      [5],
    )
  })
  it('does not continue behind an escaped escape character', () => assert.deepEqual(sources('RUN a\\\\\nCMD b'), ['RUN a\\\\', 'CMD b']))
  it('continues a line of an escape character only', () => assert.deepEqual(sources('RUN a \\\n\\\nb'), ['RUN a b']))
  it('ends a continued line at the end of the file', () => assert.deepEqual(sources('RUN a \\\n'), ['RUN a']))
  it('takes byte order mark and carriage returns', () =>
    assert.deepEqual(sources('\uFEFFRUN a \\\r\n b\r\nCMD c\r\n'), ['RUN a  b', 'CMD c']))
  it('takes the other escape character from the directive', () =>
    assert.deepEqual(sources('# escape=`\nRUN a `\n b\\\nCMD c'), ['RUN a  b\\', 'CMD c']))
  it('refuses another escape character', () => {
    assert.throws(() => readSource('# escape=x\nRUN a'), {
      message: "invalid escape token 'x' does not match ` or \\",
      range: { start: { line: 1, column: 1 }, end: { line: 1, column: 11 } },
    })
  })
  it('gives places of whole instructions', () => {
    const [run, copy] = readSource('\n  RUN a \\\n b\nCOPY <<E /x\n1\nE').instructions
    assert.deepEqual(run?.range, { start: { line: 2, column: 3 }, end: { line: 3, column: 3 } })
    assert.deepEqual(copy?.range, { start: { line: 4, column: 1 }, end: { line: 6, column: 2 } })
    assert.deepEqual(copy?.heredocs[0]?.range, { start: { line: 5, column: 1 }, end: { line: 6, column: 1 } })
  })
  it('keeps comments directly in front of an instruction', () => {
    const comments = (text: string): readonly string[] => readSource(text).instructions[0]?.comments ?? []
    assert.deepEqual(comments('# one\n#two\nRUN a'), ['one', 'two'])
    assert.deepEqual(comments('# one\n\n# two\nRUN a'), ['two'])
    assert.deepEqual(comments('# one\n#\nRUN a'), [])
    assert.deepEqual(comments('# escape=\\\n# one\nRUN a'), ['one'])
  })
  it('reads heredocs in order', () => {
    const [run] = readSource('RUN <<A <<-B\n1\nA\n\t2\n\tB\nCMD x').instructions
    assert.deepEqual(
      run?.heredocs.map(({ name, content, trimmed }) => [name, content, trimmed]),
      [
        ['A', '1\n', '1\n'],
        ['B', '\t2\n', '2\n'],
      ],
    )
  })
  it('keeps carriage returns and comments in heredocs', () => {
    assert.equal(readSource('RUN <<A\r\n# x\r\n\\\r\nA\r\n').instructions[0]?.heredocs[0]?.content, '# x\r\n\\\r\n')
  })
  it('reads heredocs of triggers', () => assert.equal(readSource('ONBUILD RUN <<A\n1\nA').instructions[0]?.heredocs.length, 1))
  it('reads no heredocs of other instructions and of JSON', () => {
    assert.deepEqual(sources('CMD <<A\nRUN ["<<A"]'), ['CMD <<A', 'RUN ["<<A"]'])
  })
  it('refuses a heredoc without end', () => {
    assert.throws(() => readSource('RUN x\nRUN <<A\n1'), {
      message: 'unterminated heredoc',
      range: { start: { line: 2, column: 1 }, end: { line: 3, column: 1 } },
    })
  })
  it('is done soon with lines of blanks', () => {
    const start = performance.now()
    readSource(`RUN x${' '.repeat(60_000)}y\n`.repeat(30))
    // A regular expression for the blanks at the end would take a minute.
    assert.ok(performance.now() - start < 20_000)
  })
  it('limits lines and files', () => {
    assert.throws(() => readSource(`RUN ${'x'.repeat(65_536)}`), /dockerfile line greater than max allowed size of 65535/)
    assert.throws(() => readSource('#\n'.repeat(1_100_000)), /dockerfile greater than max allowed size of 2097152/)
  })
})
