/**
 * General helpers, one per file. Nothing here knows what a container is: a helper that needs a domain word belongs to the module that has it.
 *
 * Locks (`AsyncMutex`, `KeyedMutex`) are taken with `using lock = await mutex.lock()`. Times are bigint nanoseconds since the epoch, durations
 * are plain numbers of nanoseconds. Errors thrown here are the built-in classes by meaning; `LimitExceededError` is the one callers catch.
 *
 * ```ts
 * const body = parseJson(await readLimited(request, 1 << 20, 'request body'), { maxBytes: 1 << 20, maxDepth: 32 })
 * ```
 */

export { addMembers } from './add-members.ts'
export { AsyncMutex } from './async-mutex.ts'
export { splitCsvLine } from './csv-line.ts'
export { deferred, type Deferred } from './deferred.ts'
export { isGoTrue, parseGoBoolean } from './go-boolean.ts'
export { deviceOf } from './device-of.ts'
export { FrameReader } from './frame-reader.ts'
export { formatGoDuration, parseGoDuration } from './go-duration.ts'
export { humanDuration } from './human-duration.ts'
export { bytesSize, humanSize, parseHumanSize, parseRamBytes } from './human-size.ts'
export { goFileMode, posixFileMode } from './go-file-mode.ts'
export { inParallel } from './in-parallel.ts'
export { KeyedMutex } from './keyed-mutex.ts'
export { parseJson, type JsonLimits } from './limited-json.ts'
export { logfmt } from './logfmt.ts'
export { formatNano, formatNanoFixed, nowNano, parseNano, parseUnixNano } from './nano-time.ts'
export { randomId, shortId } from './random-id.ts'
export { LimitExceededError, readLimited } from './read-limited.ts'
export { Rendezvous } from './rendezvous.ts'
export { retry, type RetryOptions } from './retry.ts'
export { Semaphore } from './semaphore.ts'
export { SharedWork } from './shared-work.ts'
export { surviveErrors } from './survive-errors.ts'
export { ULIMIT_NAMES } from './ulimit-names.ts'
export { unlessAborted } from './unless-aborted.ts'
export { withoutLogin } from './without-login.ts'
