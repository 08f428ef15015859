import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex } from '../../graph/digest.ts'
import { PLAIN_EXEC } from '../../graph/plain-exec.ts'
import type { ExecOp, LocalSource } from '../../graph/types.ts'
import { describeGraph } from './describe-graph.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }
const FILE = { name: 'Dockerfile', text: 'FROM scratch\nRUN make\n' }
const LOCAL: LocalSource = {
  kind: 'local',
  name: 'context',
  session: 'session-of-the-client',
  includePatterns: [],
  excludePatterns: [],
  followPaths: [],
  sharedKeyHint: 'hint',
}

describe('describeGraph', () => {
  it('names steps by their place, and says where they are written', () => {
    const source = vertex(LOCAL, [], { name: '' })
    const exec: ExecOp = { ...PLAIN_EXEC, args: ['make'], mounts: [], platform: AMD64 }
    const step = vertex(exec, [{ vertex: source, output: 0 }], { name: '', source: { file: FILE, start: 2, end: 2 } })
    const { buildConfig, source: written } = describeGraph([source, step], FILE)
    assert.deepEqual(buildConfig.digestMapping, { [source.id]: 'step0', [step.id]: 'step1' })
    assert.deepEqual(buildConfig.llbDefinition[1], {
      id: 'step1',
      op: { Op: { exec: { meta: { args: ['make'], cwd: '/' } } }, platform: { Architecture: 'amd64', OS: 'linux' } },
      inputs: ['step0:0'],
    })
    assert.deepEqual(written.locations, { step1: { locations: [{ ranges: [{ start: { line: 2 }, end: { line: 2 } }] }] } })
    assert.deepEqual(written.infos, [{ filename: 'Dockerfile', language: 'Dockerfile', data: Buffer.from(FILE.text).toString('base64') }])
  })

  it('keeps passwords of proxies and names of sessions to itself', () => {
    const exec: ExecOp = { ...PLAIN_EXEC, args: [], mounts: [], proxyEnv: ['HTTP_PROXY=http://me:secret@proxy'], platform: AMD64 }
    const text = JSON.stringify(describeGraph([vertex(LOCAL, [], { name: '' }), vertex(exec, [], { name: '' })], undefined))
    assert.doesNotMatch(text, /secret|session-of-the-client/)
  })
})
