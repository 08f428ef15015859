/** export, commit, diff and cp of a container that changes its files for links while they are read. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
const scratch = mkdtempSync(join(tmpdir(), 'gantry-attacks-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
const host = join(scratch, 'host')
const SECRET = 'secret of the host'

before(() => {
  engine.loadStarter()
  mkdirSync(host)
  writeFileSync(join(host, 'file'), SECRET)
  // A directory and a link to the host's path, a file and a link to the host's file change places as fast as the container can.
  const places = `mkdir -p /w/d; echo own > /w/d/file; echo own > /w/f; ln -s ${host} /w/l; ln -s ${host}/file /w/g`
  const swap = 'mv /w/d /w/x; mv /w/l /w/d; mv /w/d /w/l; mv /w/x /w/d; mv /w/f /w/y; mv /w/g /w/f; mv /w/f /w/g; mv /w/y /w/f'
  engine.mustDocker('run', '-d', '--name', 'hostile', 'starter', 'sh', '-c', `${places}; while :; do ${swap}; done`)
})

test('export reads nothing of the host', async () => {
  for (let round = 0; round < 5; round++) {
    const { status, text } = await engine.request('GET', '/containers/hostile/export')
    assert.equal(status, 200)
    assert.doesNotMatch(text, new RegExp(SECRET))
  }
})

test('commit of a running container takes nothing of the host, paused or not', async () => {
  for (const pause of [0, 0, 0, 1]) {
    const { status, json } = await engine.request('POST', `/commit?container=hostile&repo=taken&pause=${pause}`)
    assert.equal(status, 201)
    const { text } = await engine.request('GET', `/images/${json.Id}/get`)
    assert.doesNotMatch(text, new RegExp(SECRET))
  }
  engine.mustDocker('rmi', '-f', 'taken')
})

test('diff tells names of the container alone', async () => {
  for (let round = 0; round < 50; round++) {
    const { status, json } = await engine.request('GET', '/containers/hostile/changes')
    assert.equal(status, 200)
    for (const { Path: path } of json as { Path: string }[]) assert.match(path, /^\/w(\/[dflgxy](\/file)?)?$/)
  }
})

test('copies through a name that changes read and write nothing of the host', async () => {
  const body = tar([{ name: 'planted', data: Buffer.from('x') }])
  for (let round = 0; round < 100; round++) {
    for (const path of ['/w/d', '/w/d/', '/w/f', '/w/d/file', '/w/d/.']) {
      const { text } = await engine.request('GET', `/containers/hostile/archive?path=${path}`)
      assert.doesNotMatch(text, new RegExp(SECRET))
    }
    await engine.request('PUT', '/containers/hostile/archive?path=/w/d', body, { 'Content-Type': 'application/x-tar' })
  }
  assert.deepEqual(readdirSync(host), ['file'])
  assert.equal(readFileSync(join(host, 'file'), 'utf8'), SECRET)
})
