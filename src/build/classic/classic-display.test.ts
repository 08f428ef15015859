import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import type { VertexEvent } from '../progress.ts'
import type { BuildStep } from '../types.ts'
import { ClassicDisplay } from './classic-display.ts'

const FROM: Digest = digestOf(Buffer.from('from'))
const RUN: Digest = digestOf(Buffer.from('run'))
const STEPS = [
  { text: 'FROM busybox', vertex: FROM },
  { text: 'ENV a=b', vertex: undefined },
  { text: 'RUN make', vertex: RUN },
]

function vertex(id: Digest, change: Partial<VertexEvent>): VertexEvent {
  return { kind: 'vertex', id, inputs: [], name: '', cached: false, ...change }
}

function log(id: Digest, text: string, stream: 1 | 2 = 1): { kind: 'log'; vertex: Digest; stream: 1 | 2; data: Buffer; timestamp: number } {
  return { kind: 'log', vertex: id, stream, data: Buffer.from(text), timestamp: 0 }
}

function shown(
  steps: readonly BuildStep[] = STEPS,
  isKnown: (index: number) => boolean = () => false,
): { display: ClassicDisplay; text: () => string } {
  const messages: string[] = []
  const display = new ClassicDisplay(steps, isKnown, ({ stream, id, status }) => messages.push(stream ?? `<${id} ${status}>`))
  return { display, text: () => messages.join('').replaceAll(/\b[0-9a-f]{12}\b/g, 'ID') }
}

test('ClassicDisplay shows steps in the order of the Dockerfile, with those that need no work between', () => {
  const { display, text } = shown()
  display.handle(vertex(FROM, { started: 1, completed: 2, cached: true }))
  display.handle(vertex(RUN, { started: 3 }))
  display.handle(log(RUN, 'out\n'))
  display.handle(log(RUN, 'err\n', 2))
  display.handle(vertex(RUN, { started: 3, completed: 4 }))
  assert.equal(
    text(),
    [
      'Step 1/3 : FROM busybox\n ---> ID\n',
      'Step 2/3 : ENV a=b\n ---> ID\n',
      'Step 3/3 : RUN make\n ---> Running in ID\nout\n\u001B[91merr\n\u001B[0m ---> Removed intermediate container ID\n ---> ID\n',
    ].join(''),
  )
})

test('ClassicDisplay keeps what a later step says until its turn', () => {
  const { display, text } = shown()
  display.handle(vertex(RUN, { started: 1 }))
  display.handle(log(RUN, 'early\n'))
  assert.equal(text(), '')
  display.handle(vertex(FROM, { started: 1, completed: 2 }))
  assert.match(text(), /RUN make\n ---> Running in ID\nearly\n$/)
})

test('ClassicDisplay does not tear characters that come in two pieces, and shows the pull of a base image', () => {
  const { display, text } = shown()
  display.handle(vertex(FROM, { started: 1 }))
  display.handle({ kind: 'status', vertex: FROM, id: `sha256:${'a'.repeat(64)}`, name: '', current: 1, total: 2, timestamp: 1 })
  display.handle({ kind: 'status', vertex: FROM, id: 'resolve x', name: '', current: 1, total: 2, timestamp: 1 })
  display.handle(vertex(FROM, { started: 1, completed: 2 }))
  display.handle(vertex(RUN, { started: 3 }))
  const [first, second] = [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)]
  display.handle({ ...log(RUN, ''), data: first })
  display.handle({ ...log(RUN, ''), data: second })
  assert.match(text(), /^Step 1\/3 : FROM busybox\n<ID Downloading> ---> ID\n/)
  assert.match(text(), /é\n$/)
})

test('ClassicDisplay shows no image for a step that failed', () => {
  const { display, text } = shown()
  display.handle(vertex(FROM, { started: 1, completed: 2 }))
  display.handle(vertex(RUN, { started: 3 }))
  display.handle(vertex(RUN, { started: 3, completed: 4, error: 'exit code: 1' }))
  assert.match(text(), /RUN make\n ---> Running in ID\n$/)
})

test('ClassicDisplay says which step has failed before it began, whatever was given up in front of it', () => {
  const { display, text } = shown()
  display.handle(vertex(FROM, { started: 1, completed: 2 }))
  assert.equal(display.fail(undefined), false)
  assert.equal(display.fail(RUN), true)
  assert.match(text(), / ---> ID\nStep 3\/3 : RUN make\n$/)
  const early = shown()
  early.display.fail(RUN)
  assert.equal(early.text(), 'Step 3/3 : RUN make\n')
})

test('ClassicDisplay counts triggers of the base to its FROM, and shows no image for what has none', () => {
  const { display, text } = shown([
    { text: 'ARG a', vertex: undefined, role: 'global' },
    { text: 'FROM scratch', vertex: undefined, role: 'scratch' },
    { text: 'ENV a=b', vertex: undefined },
    { text: 'FROM base', vertex: FROM },
    { text: 'RUN make', vertex: RUN, role: 'trigger' },
    { text: 'CMD x', vertex: undefined, role: 'trigger' },
    { text: 'USER y', vertex: undefined },
  ])
  display.handle(vertex(FROM, { started: 1, completed: 2 }))
  display.handle(vertex(RUN, { started: 3 }))
  display.handle(log(RUN, 'out\n'))
  display.handle(vertex(RUN, { started: 3, completed: 4 }))
  assert.equal(
    text(),
    [
      'Step 1/5 : ARG a\nStep 2/5 : FROM scratch\n ---> \nStep 3/5 : ENV a=b\n ---> ID\n',
      'Step 4/5 : FROM base\n# Executing 2 build triggers\n ---> Running in ID\nout\n ---> Removed intermediate container ID\n ---> ID\n',
      'Step 5/5 : USER y\n ---> ID\n',
    ].join(''),
  )
})

test('ClassicDisplay tells of known instructions that only change the config as of steps from the cache, until one is not', () => {
  const asked: number[] = []
  const steps = [...STEPS, { text: 'CMD x', vertex: undefined }]
  const isKnown = (index: number): boolean => asked.push(index) > 0
  for (const cached of [true, false]) {
    const { display, text } = shown(steps, isKnown)
    display.handle(vertex(FROM, { started: 1, completed: 2 }))
    display.handle(vertex(RUN, { started: 3, completed: 4, cached }))
    const cache = cached ? ' ---> Using cache\n' : ''
    assert.ok(text().includes('ENV a=b\n ---> Using cache\n'), text())
    assert.ok(text().endsWith(`Step 4/4 : CMD x\n${cache} ---> ID\n`), text())
  }
  assert.deepEqual(asked, [1, 3, 1, 3])
})
