import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planCopy, splitCopyArgument } from './copy.ts'

describe('splitCopyArgument', () => {
  it('takes a colon for the separator unless the path is plainly local', () => {
    assert.deepEqual(splitCopyArgument('web:/a:b'), { container: 'web', path: '/a:b' })
    for (const path of ['/a:b', './a:b', 'plain', '-']) assert.deepEqual(splitCopyArgument(path), { container: '', path })
  })
})

describe('planCopy', () => {
  const file = (path: string): { path: string; exists: boolean; isDirectory: boolean } => ({ path, exists: true, isDirectory: false })
  const directory = (path: string): { path: string; exists: boolean; isDirectory: boolean } => ({ path, exists: true, isDirectory: true })
  const missing = (path: string): { path: string; exists: boolean; isDirectory: boolean } => ({ path, exists: false, isDirectory: false })

  it('does what cp does', () => {
    assert.deepEqual(planCopy(file('/s/a'), directory('/d')), { directory: '/d', rootName: 'a' })
    assert.deepEqual(planCopy(file('/s/a'), file('/d/b')), { directory: '/d', rootName: 'b' })
    assert.deepEqual(planCopy(file('/s/a'), missing('/d/b')), { directory: '/d', rootName: 'b' })
    assert.deepEqual(planCopy(directory('/s'), directory('/d')), { directory: '/d', rootName: 's' })
    assert.deepEqual(planCopy(directory('/s/.'), directory('/d')), { directory: '/d', rootName: '.' })
    assert.deepEqual(planCopy(directory('/s'), missing('/d/')), { directory: '/', rootName: 'd' })
  })

  it('refuses what cp refuses', () => {
    assert.throws(() => planCopy(directory('/s'), file('/d')), { message: 'cannot copy directory' })
    assert.throws(() => planCopy(file('/s'), missing('/d/')), { message: 'no such directory' })
  })
})
