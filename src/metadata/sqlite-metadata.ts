import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { EngineError, internal } from '#errors'
import { MIGRATIONS } from './migrations.ts'
import { refusePromise } from './refuse-promise.ts'
import type { CollectionName, DamagedRecord, Metadata, Repository } from './types.ts'

export interface MetadataOptions {
  /** Milliseconds for which another process may keep the database; 2000, as a daemon that is just ending lets go. */
  lockTimeout?: number
  /** Gives a file blocks for its first bytes. With it the store can still be written on a full disk, for a while: what fills the disk can be taken away. */
  reserveSpace?: (path: string, bytes: number) => void
}

/** Frames of the write-ahead log up to which SQLite lets it grow before it begins again at its start (`wal_autocheckpoint`), with their headers. */
const LOG_BYTES = 1000 * (4096 + 24) + 32

/**
 * Opens or creates the database at `path` (its directory exists) and migrates it. Throws UNAVAILABLE when another process has it open and keeps it,
 * DATA_LOSS when it is no database, INTERNAL when a newer Gantry has written it.
 */
export function openMetadata(path: string, options: MetadataOptions = {}): Metadata {
  const database = openDatabase(path, options.lockTimeout ?? 2000)
  try {
    const metadata = createMetadata(database)
    options.reserveSpace?.(`${path}-wal`, LOG_BYTES)
    return metadata
  } catch (error) {
    database.close()
    throw explain(error, path)
  }
}

function openDatabase(path: string, timeout: number): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout })
  } catch (error) {
    throw explain(error, path)
  }
}

function createMetadata(database: DatabaseSync): Metadata {
  // EXCLUSIVE makes the file itself the lock of the data root: the kernel frees it with the process, however that ends.
  database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;')
  migrate(database)
  setAside(database)
  const repositories = new Map<CollectionName, Repository<unknown>>()
  let depth = 0
  let open = true

  function transaction<T>(change: () => T): T {
    // Background work may come late: it is told apart from a failure by its code.
    if (!open) throw new EngineError('CANCELLED', 'Cannot write: the database is closed')
    const [begin, commit, rollback] = depth === 0 ? TOP_LEVEL : nested(depth)
    database.exec(begin)
    depth++
    try {
      const result = refusePromise(change())
      database.exec(commit)
      return result
    } catch (error) {
      // SQLite has ended the transaction by itself after some errors (disk full, I/O).
      if (database.isTransaction) database.exec(rollback)
      throw writeError(error)
    } finally {
      depth--
    }
  }

  function repository<T>(name: CollectionName): Repository<T> {
    const known = repositories.get(name) ?? createRepository(database, name)
    repositories.set(name, known)
    return known as Repository<T>
  }

  function close(): void {
    if (open) database.close()
    open = false
  }

  return {
    repository,
    transaction,
    integrity() {
      const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
      return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok')
    },
    damaged: () =>
      database
        .prepare('SELECT collection, key FROM damaged')
        .all()
        .map((row) => ({ ...row }) as unknown as DamagedRecord),
    forgetDamaged({ collection, key }) {
      database.prepare('DELETE FROM damaged WHERE collection = ? AND key = ?').run(collection, key)
    },
    close,
    [Symbol.dispose]: close,
  }
}

const TOP_LEVEL = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'] as const

function nested(depth: number): readonly [string, string, string] {
  const name = `nested${depth}`
  return [`SAVEPOINT ${name}`, `RELEASE ${name}`, `ROLLBACK TO ${name}; RELEASE ${name}`]
}

function migrate(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (row.user_version > MIGRATIONS.length) {
    throw internal(
      `Cannot open the database: its schema ${row.user_version} is newer than ${MIGRATIONS.length}, the newest this version knows`,
    )
  }
  for (let step = row.user_version; step < MIGRATIONS.length; step++) {
    // In one transaction with its number: a crash between the two would run the step again on a changed schema.
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[step]} PRAGMA user_version=${step + 1}; COMMIT;`)
  }
}

/** One record that cannot be read must not keep the daemon from starting: it is put where `damaged` finds it. */
function setAside(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'damaged'").all() as { name: string }[]
  const found = tables.filter(
    ({ name }) => database.prepare(`SELECT 1 FROM "${name}" WHERE NOT json_valid(json) LIMIT 1`).get() !== undefined,
  )
  for (const { name } of found) {
    database.exec(`BEGIN IMMEDIATE;
      INSERT OR REPLACE INTO damaged SELECT '${name}', key, json FROM "${name}" WHERE NOT json_valid(json);
      DELETE FROM "${name}" WHERE NOT json_valid(json);
      COMMIT;`)
  }
}

function createRepository<T>(database: DatabaseSync, name: CollectionName): Repository<T> {
  const prepare = lazily((sql: string) => database.prepare(sql))
  return {
    get(key) {
      const row = prepare(`SELECT json FROM "${name}" WHERE key = ?`).get(key) as { json: string } | undefined
      return row && (decode(name, key, row.json) as T)
    },
    put(key, value) {
      const statement = prepare(`INSERT INTO "${name}" (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json`)
      written(() => statement.run(key, JSON.stringify(value)))
    },
    delete(key) {
      written(() => prepare(`DELETE FROM "${name}" WHERE key = ?`).run(key))
    },
    all() {
      const rows = prepare(`SELECT key, json FROM "${name}" ORDER BY seq`).all() as { key: string; json: string }[]
      return rows.map((row) => ({ key: row.key, value: decode(name, row.key, row.json) as T }))
    },
  }
}

/** Statements are compiled once, when first used: opening the database must not pay for all of them. */
function lazily(compile: (sql: string) => StatementSync): (sql: string) => StatementSync {
  const compiled = new Map<string, StatementSync>()
  return (sql) => {
    const statement = compiled.get(sql) ?? compile(sql)
    compiled.set(sql, statement)
    return statement
  }
}

function decode(name: string, key: string, json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new EngineError('DATA_LOSS', `Cannot read record ${key} of ${name}: not JSON`, { cause })
  }
}

function written(write: () => unknown): void {
  try {
    write()
  } catch (error) {
    throw writeError(error)
  }
}

/** A full disk is told as everywhere else: SQLite has words of its own for it. */
function writeError(error: unknown): unknown {
  if ((error as { errcode?: number }).errcode !== SQLITE_FULL) return error
  return new EngineError('RESOURCE_EXHAUSTED', 'cannot write to the database: no space left on device', { cause: error })
}

/** SQLite's primary result codes. Source: sqlite.org/rescode.html. */
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

function explain(error: unknown, path: string): unknown {
  switch ((error as { errcode?: number }).errcode) {
    case SQLITE_BUSY:
      return new EngineError('UNAVAILABLE', `Cannot open ${path}: another daemon uses this data root`, { cause: error })
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new EngineError('DATA_LOSS', `Cannot open ${path}: not a database or damaged`, { cause: error })
    default:
      return error
  }
}
