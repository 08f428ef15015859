import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildUpdate } from '#client'
import type { Output } from '../../terminal/output.ts'
import { createPlainDisplay } from './plain-display.ts'
import { createRawDisplay } from './raw-display.ts'
import { createTerminalDisplay } from './terminal-display.ts'

function recorder(size?: [number, number]): { output: Output; text: () => string; clear: () => void } {
  let text = ''
  const output: Output = { isTerminal: size !== undefined, write: (data) => (text += Buffer.from(data).toString()), size: () => size }
  return { output, text: () => text, clear: () => (text = '') }
}

function update(part: Partial<BuildUpdate>): BuildUpdate {
  return { vertexes: [], statuses: [], logs: [], warnings: [], ...part }
}

function vertex(digest: string, change: Partial<BuildUpdate['vertexes'][number]> = {}): BuildUpdate['vertexes'][number] {
  return { digest, inputs: [], name: `[1/2] ${digest}`, cached: false, error: '', ...change }
}

function log(digest: string, text: string, timestamp = 1500): BuildUpdate['logs'][number] {
  return { vertex: digest, stream: 1, data: Buffer.from(text), timestamp }
}

test('plain display numbers steps, keeps the lines of one together, and tells how each ended', () => {
  const { output, text } = recorder()
  const display = createPlainDisplay(output)
  display.update(update({ vertexes: [vertex('a'), vertex('b')] }))
  display.update(update({ vertexes: [vertex('a', { started: 1000 })], logs: [log('a', 'one\ntw')] }))
  display.update(update({ vertexes: [vertex('b', { started: 1000 })], logs: [log('b', 'other\n')] }))
  display.update(update({ vertexes: [vertex('a', { started: 1000, completed: 2500 })], logs: [log('a', 'o\n', 2000)] }))
  display.update(update({ vertexes: [vertex('b', { started: 1000, completed: 1100, error: 'exit code: 3' })] }))
  display.end(true)
  assert.equal(
    text(),
    [
      '#1 [1/2] a',
      '#1 0.500 one',
      '#1 ...',
      '',
      '#2 [1/2] b',
      '#2 0.500 other',
      '#2 ...',
      '',
      '#1 [1/2] a',
      '#1 1.000 two',
      '#1 DONE 1.5s',
      '',
      '#2 [1/2] b',
      '#2 ERROR: exit code: 3',
      '------',
      ' > [1/2] b:',
      '0.5 other',
      '------',
      '',
    ].join('\n'),
  )
})

test('plain display says what is cached and cancelled, and shows transfers', () => {
  const { output, text } = recorder()
  const display = createPlainDisplay(output)
  display.update(
    update({
      vertexes: [vertex('a', { started: 1, completed: 2 })],
      statuses: [{ vertex: 'a', id: 'transferring context:', name: '', current: 2000, total: 0, started: 1, completed: 2 }],
    }),
  )
  display.update(update({ vertexes: [vertex('b', { started: 1, completed: 1, cached: true })] }))
  display.update(update({ vertexes: [vertex('c', { started: 1, completed: 2, error: 'context canceled' })] }))
  display.end(false)
  assert.deepEqual(
    text()
      .split('\n')
      .filter((line) => /context|CACHED|CANCELED/.test(line)),
    ['#1 transferring context: 2kB done', '#2 CACHED', '#3 CANCELED'],
  )
})

test('terminal display draws in place, fits the terminal, and shows all steps at the end', () => {
  const { output, text, clear } = recorder([10, 40])
  const display = createTerminalDisplay(output, { title: 'Building', colors: false, now: () => 2000 })
  display.update(
    update({
      vertexes: [vertex('a', { started: 1000, completed: 1500 }), vertex('b', { started: 1500, name: 'RUN \u001B[2J'.repeat(30) })],
    }),
  )
  display.update(update({ logs: [log('b', 'x\u001B[2Jy\r50%\r100%\n')] }))
  clear()
  display.end(false)
  const lines = text()
    .replace(/^.*\u001B\[0J/s, '')
    .split('\n')
  assert.equal(lines[0], '[+] Building 0.0s (1/2) FINISHED')
  assert.equal(lines[1], ' => [1/2] a                        0.5s')
  assert.ok(
    lines.every((line) => line.length < 40),
    text(),
  )
  assert.match(lines[2] ?? '', /^ => RUN RUN RUN [RUN ]+0\.5s$/)
})

test('raw display writes the fields of BuildKit’s client', () => {
  const { output, text } = recorder()
  createRawDisplay(output).update(update({ vertexes: [vertex('a', { started: 0 })], logs: [log('a', 'hi', 0)] }))
  assert.deepEqual(JSON.parse(text()), {
    vertexes: [{ digest: 'a', inputs: [], name: '[1/2] a', cached: false, started: '1970-01-01T00:00:00.000Z' }],
    logs: [{ vertex: 'a', stream: 1, data: 'aGk=', timestamp: '1970-01-01T00:00:00.000Z' }],
  })
})

test('displays say where a warning comes from, unless it says so itself', () => {
  const { output, text } = recorder()
  const display = createPlainDisplay(output)
  const warning = { vertex: '', level: 1, url: '', detail: [], place: 'Dockerfile:3' }
  display.update(update({ warnings: [{ ...warning, short: 'Rule: reason (line 3)' }] }))
  display.update(update({ warnings: [{ ...warning, short: 'reason' }] }))
  display.end(true)
  assert.equal(text(), '\n 2 warnings found:\n - Rule: reason (line 3)\n - reason (Dockerfile:3)\n')
})
