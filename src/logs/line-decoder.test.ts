import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineDecoder } from './line-decoder.ts'

const TIME = '2024-05-06T07:08:09.123456789Z'

function decode(line: string): { text: string; stream: number; time: string; attrs: string } | undefined {
  const decoder = new LineDecoder()
  // Neighbours on both sides: offsets must not leave the line.
  const buffer = Buffer.from(`junk\n${line}\n{"log":"`)
  if (!decoder.decode(buffer, 5, 5 + Buffer.byteLength(line))) return undefined
  const { textStart, textEnd, stream, timeStart, timeEnd, attrsStart, attrsEnd } = decoder
  const slice = (from: number, to: number) => decoder.buffer.toString('utf8', from, to)
  return { text: slice(textStart, textEnd), stream, time: slice(timeStart, timeEnd), attrs: slice(attrsStart, attrsEnd) }
}

test('LineDecoder finds text, stream and time', () => {
  assert.deepEqual(decode(`{"log":"a b\\n","stream":"stdout","time":"${TIME}"}`), { text: 'a b\\n', stream: 1, time: TIME, attrs: '' })
  assert.deepEqual(decode(`{"log":"","stream":"stderr","time":"${TIME}"}`), { text: '', stream: 2, time: TIME, attrs: '' })
})

test('LineDecoder finds attributes behind a text with escaped quotes', () => {
  const line = `{"log":"say \\"hi\\\\\\"\\n","stream":"stderr","attrs":{"k":"v\\"}"},"time":"${TIME}"}`
  assert.deepEqual(decode(line), { text: 'say \\"hi\\\\\\"\\n', stream: 2, time: TIME, attrs: '{"k":"v\\"}"}' })
})

test('LineDecoder is not deceived by a text that looks like the end of a line', () => {
  const forged = `\\",\\"stream\\":\\"stderr\\",\\"time\\":\\"1999-01-01T00:00:00.000000000Z\\"}`
  assert.deepEqual(decode(`{"log":"${forged}","stream":"stdout","time":"${TIME}"}`), { text: forged, stream: 1, time: TIME, attrs: '' })
})

test('LineDecoder reads other layouts of the same object', () => {
  const expected = { text: 'é\\n', stream: 2, time: '2024-05-06T07:08:09.12Z', attrs: '' }
  assert.deepEqual(decode('{"log":"é\\n","stream":"stderr","time":"2024-05-06T07:08:09.12Z"}'), expected)
  assert.deepEqual(decode('{ "time": "2024-05-06T09:08:09.12+02:00", "stream": "stderr", "log": "é\\n" }'), expected)
})

test('LineDecoder takes times of every width', () => {
  for (const time of ['2024-05-06T07:08:09Z', '2024-05-06T07:08:09.1Z', '2024-05-06T07:08:09.12345678Z', TIME])
    assert.deepEqual(decode(`{"log":"a","stream":"stdout","time":"${time}"}`), { text: 'a', stream: 1, time, attrs: '' })
})

test('LineDecoder refuses what is not a log line', () => {
  for (const line of [
    '',
    'x'.repeat(200),
    '\0'.repeat(200),
    `{"log":"half`,
    '{"log":"a","stream":"stdout"}',
    'null',
    '"text"',
    `{"log":"a","time":"soon"}`,
  ])
    assert.equal(decode(line), undefined, line)
})
