import assert from 'node:assert/strict'
import { mkdtempDisposableSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { replacesDirectory } from './delete-mode.ts'

test('replacesDirectory lets results take the place of directories below the working directory only', () => {
  assert.equal(replacesDirectory(undefined, '/', false), false)
  assert.equal(replacesDirectory('copy', '/', false), false)
  assert.equal(replacesDirectory('delete', 'some/new/directory', false), true)
  for (const path of ['.', '..', '/', `${process.cwd()}-other`])
    assert.throws(() => replacesDirectory('delete', path, false), /needs --allow buildx\.local\.delete/, path)
  assert.equal(replacesDirectory('delete', '..', true), true)
  assert.throws(() => replacesDirectory('move', 'a', true), /invalid mode "move"/)
})

test('replacesDirectory looks at where a link leads', () => {
  using made = mkdtempDisposableSync(join(tmpdir(), 'delete-mode-'))
  const link = join(made.path, 'link')
  symlinkSync(process.cwd(), link)
  assert.throws(() => replacesDirectory('delete', link, false), /needs --allow/)
})
