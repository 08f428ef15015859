import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createFiles } from '#kernel'
import type { ShareTask } from '#snapshots'
import { COPY } from '../testing/sample-operations.ts'
import { performCopy } from './copy-action.ts'
import { copySharedFiles } from './copy-assistant.ts'
import type { SharedFiles } from './copy-assistant.ts'

const files = createFiles()

/** A tree that is copied by two, as if `share` were another thread. */
function openTrees(): Disposable & { from: string; to: string; copy: (share: ShareTask, signal?: AbortSignal) => Promise<void> } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'assistant-'))
  const [from, to] = [join(directory.path, 'from'), join(directory.path, 'to')]
  mkdirSync(from)
  mkdirSync(to)
  for (let index = 0; index < 330; index++) {
    const place = join(from, String(index % 3), 'deep')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `${index}.txt`), `${index}`)
    utimesSync(join(place, `${index}.txt`), index, index)
  }
  linkSync(join(from, '0/deep/0.txt'), join(from, '2/deep/again'))
  symlinkSync('../elsewhere', join(from, '1/link'))
  for (const name of ['0/deep', '1/deep', '2/deep', '0', '1', '2']) utimesSync(join(from, name), 1, 2)
  const [fromFd, rootFd] = [openSync(from, constants.O_RDONLY), openSync(to, constants.O_RDONLY)]
  return {
    from,
    to,
    copy: async (share, signal) => await performCopy(files, { rootFd, action: { ...COPY, fromFd, owner: undefined } }, signal, share),
    [Symbol.dispose]() {
      closeSync(fromFd)
      closeSync(rootFd)
      directory.remove()
    },
  }
}

/** Names with what can be seen of them; `links`: by the names that a file has. */
function describeTree(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(root, name)
      const stat = lstatSync(path)
      const content = stat.isFile() ? readFileSync(path, 'utf8') : stat.isSymbolicLink() ? readlinkSync(path) : ''
      return [name, stat.mode, stat.nlink, stat.isSymbolicLink() ? '' : stat.mtimeMs, content].join(' ')
    })
}

function openBelow(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${directory}/`)
    } catch {
      return false // the one that this was read by
    }
  }).length
}

describe('a copy with an assistant', () => {
  it('is the same copy, with directories as old as they were and files of several names', async () => {
    using trees = openTrees()
    let batches = 0
    await trees.copy(async (task, input) => {
      assert.equal(task, 'build-copy-files')
      batches++
      for (let turns = 0; turns < 3; turns++) await setImmediate()
      return { result: copySharedFiles(files, structuredClone(input) as SharedFiles) }
    })
    assert.ok(batches > 1)
    assert.deepEqual(describeTree(trees.to), describeTree(trees.from))
    assert.equal(openBelow(trees.from) + openBelow(trees.to), 0)
  })

  it('is done alone when nobody has time', async () => {
    using trees = openTrees()
    await trees.copy(async () => undefined)
    assert.deepEqual(describeTree(trees.to), describeTree(trees.from))
  })

  it('fails with what a batch failed with, and keeps its directories open until then', async () => {
    using trees = openTrees()
    let wasOpen = 0
    const copying = trees.copy(async (_task, input) => {
      const { fromFd, toFd } = input as SharedFiles
      const places = [fromFd, toFd].map((fd) => readlinkSync(`/proc/self/fd/${fd}`))
      for (let turns = 0; turns < 50; turns++) await setImmediate()
      assert.deepEqual(
        [fromFd, toFd].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
        places,
      )
      wasOpen++
      throw new Error('no space left')
    })
    await assert.rejects(copying, /no space left/)
    assert.equal(wasOpen, 1)
    assert.equal(openBelow(trees.from) + openBelow(trees.to), 0)
  })

  it('waits for the batch that is under way when it is given up', async () => {
    using trees = openTrees()
    const abort = new AbortController()
    let isOver = false
    const copying = trees.copy(async () => {
      abort.abort(new Error('given up'))
      for (let turns = 0; turns < 20; turns++) await setImmediate()
      isOver = true
      return undefined
    }, abort.signal)
    await assert.rejects(copying, /given up/)
    assert.ok(isOver)
    assert.equal(openBelow(trees.from) + openBelow(trees.to), 0)
  })
})
