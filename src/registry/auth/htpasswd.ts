import { createHmac, randomBytes } from 'node:crypto'
import { compare } from 'bcryptjs'
import { AsyncMutex } from '#lib'
import { ExpiringCache } from './expiring-cache.ts'
import type { HtpasswdFile } from './htpasswd-file.ts'
import { TooManyAttemptsError, type UserDirectory } from './types.ts'

/** A check costs some 100 ms of one processor: clients that send the password with each request pay it once. */
const GOOD_FOR_MS = 5 * 60_000
/** Long enough to make a client that repeats a wrong password cheap, short enough not to be noticed. */
const BAD_FOR_MS = 10_000
/** Answers of each kind. */
const REMEMBERED = 1000
/** Checks that may wait for the one that runs. More would be answered long after their client gave up. */
const MAX_WAITING = 50
/** Salt and hash of nobody's password. */
const DECOY = `${'.'.repeat(22)}${'/'.repeat(31)}`

export interface HtpasswdDeps {
  file: HtpasswdFile
  /** bcrypt; replaceable for tests. */
  compare?: (password: string, hash: string) => Promise<boolean>
  now?: () => number
}

/** Users of an htpasswd file. */
export function createHtpasswdUsers(deps: HtpasswdDeps): UserDirectory {
  const check = deps.compare ?? compare
  // Apart, so that whoever tries passwords does not push out the users who know theirs.
  const good = new ExpiringCache<true>(REMEMBERED, deps.now)
  const bad = new ExpiringCache<false>(REMEMBERED, deps.now)
  const running = new AsyncMutex()
  // Neither passwords nor anything that could be turned back into them is kept: the key dies with the process.
  const secret = randomBytes(32)

  /** Names the stored hash, too: a changed password makes a new key, so the cache need not be told. */
  function cacheKey(name: string, password: string, hash: string): string {
    const mac = createHmac('sha256', secret)
    for (const part of [name, password, hash]) mac.update(`${Buffer.byteLength(part)}:${part}`)
    return mac.digest('base64')
  }

  return {
    async verify(name, password) {
      const entries = await deps.file.entries()
      const hash = entries.get(name)
      const key = cacheKey(name, password, hash ?? '')
      const known = good.get(key) ?? bad.get(key)
      if (known !== undefined) return known
      if (running.pending > MAX_WAITING) throw new TooManyAttemptsError(5)
      using _turn = await running.lock()
      // Another request may have asked the same while this one waited.
      const answered = good.get(key) ?? bad.get(key)
      if (answered !== undefined) return answered
      const isRight = (await check(password, hash ?? decoy(entries))) && hash !== undefined
      if (isRight) good.set(key, true, GOOD_FOR_MS)
      else bad.set(key, false, BAD_FOR_MS)
      return isRight
    },
    async fingerprint(name) {
      const hash = (await deps.file.entries()).get(name)
      return hash === undefined ? undefined : createHmac('sha256', hash).update(name).digest('base64url')
    },
  }
}

/** Compared for users that do not exist, at the cost of those who do, so that the time of the answer does not tell who exists. */
function decoy(entries: ReadonlyMap<string, string>): string {
  const [first = '$2b$10$'] = entries.values()
  return first.slice(0, 7) + DECOY
}
