import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineError, internal } from '#errors'
import type { Finding } from '#fsck'
import { startServer } from '../testing/harness.ts'

const FINDING: Finding = {
  kind: 'orphan',
  severity: 'error',
  object: 'layers/7',
  text: 'belongs to nothing',
  repairable: true,
  outcome: 'repaired',
}
const CHECKED = { blobs: 1, layers: 2, images: 3, containers: 4 }

test('fsck streams progress and findings, and the report as its last line', async () => {
  const asked: boolean[] = []
  await using server = await startServer({
    fsck: {
      run: ({ repair, report }) => {
        asked.push(repair)
        report({ kind: 'progress', phase: 'blobs', done: 1, total: 2 })
        report({ kind: 'finding', finding: FINDING })
        return Promise.resolve({ findings: [FINDING], checked: CHECKED, lost: ['alpine:3'], clean: true })
      },
    },
  })
  const answer = await server.request('POST', '/gantry/fsck?repair=1')
  assert.deepEqual(
    answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { progress: { phase: 'blobs', done: 1, total: 2 } },
      { finding: FINDING },
      { report: { checked: CHECKED, lost: ['alpine:3'], clean: true, findings: 1 } },
    ],
  )
  await server.request('POST', '/gantry/fsck')
  assert.deepEqual(asked, [true, false])
})

test('fsck that cannot begin has a status, one that breaks off says so in the stream', async () => {
  let late = false
  await using server = await startServer({
    fsck: {
      run: ({ report }) => {
        if (!late) return Promise.reject(new EngineError('CONFLICT', 'a check is running already'))
        report({ kind: 'progress', phase: 'database', done: 0, total: 1 })
        return Promise.reject(internal('disk broken'))
      },
    },
  })
  assert.equal((await server.request('POST', '/gantry/fsck')).status, 409)
  late = true
  assert.match((await server.request('POST', '/gantry/fsck')).text, /\{"error":"disk broken"\}\n$/)
})

test('fsck shows a client that does not read less of how far it is, and every finding', async () => {
  const PROGRESS = 200_000
  await using server = await startServer({
    fsck: {
      run: ({ report }) => {
        for (let done = 0; done < PROGRESS; done++) report({ kind: 'progress', phase: 'blobs', done, total: PROGRESS })
        report({ kind: 'finding', finding: FINDING })
        return Promise.resolve({ findings: [FINDING], checked: CHECKED, lost: [], clean: true })
      },
    },
  })
  const answer = await server.request('POST', '/gantry/fsck')
  const lines = answer.text.trim().split('\n')
  assert.ok(lines.length < PROGRESS / 2, String(lines.length))
  assert.equal(lines.filter((line) => line.startsWith('{"finding"')).length, 1)
  assert.ok(lines.at(-1)?.startsWith('{"report"'))
})
