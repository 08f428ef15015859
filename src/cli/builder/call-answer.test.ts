import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { showAnswer } from './call-answer.ts'
import { parseCallOption } from './call-option.ts'

/** What is written where, and the status. */
function shown(call: string, answer: { text?: string; json?: unknown; status?: string }): { out: string; err: string; status: number } {
  let [out, err] = ['', '']
  const cli = {
    print: (line: string) => void (out += `${line}\n`),
    warn: (line: string) => void (err += `${line}\n`),
    stdout: { write: (text: string) => void (out += text) },
  } as unknown as Parameters<typeof showAnswer>[0]
  const option = parseCallOption(call)
  assert.ok(option !== undefined)
  const metadata = {
    'result.txt': Buffer.from(answer.text ?? ''),
    'result.json': Buffer.from(JSON.stringify(answer.json ?? {})),
    'result.statuscode': Buffer.from(answer.status ?? ''),
  }
  const status = showAnswer(cli, option, metadata)
  return { out, err, status }
}

suite('showAnswer', () => {
  test('says of a check that nothing was found, or how much', () => {
    assert.deepEqual(shown('check', { json: { warnings: [] }, status: '0' }), {
      out: 'Check complete, no warnings found.\n',
      err: '',
      status: 0,
    })
    const found = { text: 'WARNING: a\n', json: { warnings: [1, 2] }, status: '1' }
    assert.deepEqual(shown('check', found), { out: 'Check complete, 2 warnings have been found!\nWARNING: a\n', err: '', status: 1 })
    assert.equal(shown('lint,ignorestatus', found).status, 0)
  })

  test('tells what a build would fail with, and where', () => {
    const json = {
      sources: [{ filename: 'Dockerfile', data: Buffer.from('FROM a\nNOPE\n').toString('base64') }],
      buildError: { message: 'unknown instruction: NOPE', location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] } },
    }
    const { out, err, status } = shown('check', { json, status: '1' })
    assert.deepEqual([out, status], ['', 1])
    assert.match(err, /^Dockerfile:2\n[^]*>>> NOPE[^]*\nERROR: unknown instruction: NOPE\n$/)
  })

  test('has nothing to add to other answers, and none to JSON', () => {
    assert.deepEqual(shown('outline', {}), { out: '', err: '', status: 0 })
    assert.deepEqual(shown('check,format=json', { text: 'x', json: { warnings: [1] }, status: '1' }), {
      out: '{"warnings":[1]}\n',
      err: '',
      status: 1,
    })
  })
})

test('parseCallOption knows its questions', () => {
  assert.equal(parseCallOption('build'), undefined)
  assert.deepEqual(parseCallOption('targets,format=json'), { request: 'frontend.targets', format: 'json', ignoreStatus: false })
  for (const text of ['moon', '', 'constructor', 'check,format=xml', 'check,x', 'build,format=json'])
    assert.throws(() => parseCallOption(text), /^Error: invalid value for --call: /, text)
})
