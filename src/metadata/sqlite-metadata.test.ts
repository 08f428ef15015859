import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { codeOf } from '#errors'
import { openMetadata } from './index.ts'
import { metadataContract } from '../../test/contract/metadata.ts'

metadataContract('openMetadata', () => openMetadata(':memory:'))

describe('openMetadata', () => {
  it('finds after close what was put before', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    {
      using metadata = openMetadata(path)
      metadata.repository('settings').put('id', 'abc')
    }
    using metadata = openMetadata(path)
    assert.equal(metadata.repository('settings').get('id'), 'abc')
  })

  it('has space reserved for a log that is there, also when it is opened again', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    const reserved: [string, boolean][] = []
    const reserveSpace = (log: string, bytes: number): void => void reserved.push([log, existsSync(log) && bytes > 4_000_000])
    openMetadata(path, { reserveSpace }).close()
    openMetadata(path, { reserveSpace }).close()
    assert.deepEqual(
      reserved,
      Array.from({ length: 2 }, () => [`${path}-wal`, true]),
    )
  })

  it('refuses a transaction after close as cancelled', () => {
    const metadata = openMetadata(':memory:')
    metadata.close()
    assert.throws(
      () => metadata.transaction(() => {}),
      (error) => codeOf(error) === 'CANCELLED',
    )
  })

  it('refuses a file that another process has open, with UNAVAILABLE', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    using metadata = openMetadata(path)
    metadata.repository('settings').put('id', 'abc')
    const script = `import { openMetadata } from './index.ts'
      try { openMetadata(${JSON.stringify(path)}, { lockTimeout: 1 }) } catch (error) { console.log(error.code) }`
    const other = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', cwd: import.meta.dirname })
    assert.equal(other.stdout.trim(), 'UNAVAILABLE', other.stderr)
  })

  it('refuses a file that is no database with DATA_LOSS', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    writeFileSync(path, 'not a database, and longer than the header of one is: '.repeat(40))
    assert.throws(
      () => openMetadata(path),
      (error) => codeOf(error) === 'DATA_LOSS',
    )
  })

  it('refuses a schema newer than it knows', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version=9999')
    database.close()
    assert.throws(() => openMetadata(path), /newer than/)
  })

  it('sets records aside that are no JSON, and works with the others', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'metadata-'))
    const path = join(directory.path, 'gantry.db')
    {
      using metadata = openMetadata(path)
      metadata.transaction(() => {
        for (const key of ['good', 'bad']) metadata.repository('volumes').put(key, { name: key })
      })
    }
    const database = new DatabaseSync(path)
    database.exec(`UPDATE volumes SET json = substr(json, 1, 5) WHERE key = 'bad'`)
    database.close()
    {
      using metadata = openMetadata(path)
      assert.deepEqual(metadata.repository('volumes').all(), [{ key: 'good', value: { name: 'good' } }])
    }
    using metadata = openMetadata(path) // they stay until they are forgotten
    assert.deepEqual(metadata.damaged(), [{ collection: 'volumes', key: 'bad' }])
    assert.deepEqual(metadata.integrity(), [])
    metadata.forgetDamaged({ collection: 'volumes', key: 'bad' })
    assert.deepEqual(metadata.damaged(), [])
  })
})
