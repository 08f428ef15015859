import { type Edns, endToEnd } from './edns.ts'
import { endOfName, type Query, RCODE, readOpt, TYPE, writeOpt } from './message.ts'

const HEADER = 12
const TRUNCATED = 0x0200
const RCODE_MASK = 0x000f
const QR = 0x8000
/** Servers that cannot make sense of a question answer without it. */
const MAY_LACK_QUESTION: ReadonlySet<number> = new Set([RCODE.formatError, RCODE.serverFailure, RCODE.notImplemented, RCODE.refused])

interface ResourceRecord {
  section: 'answer' | 'authority' | 'additional'
  start: number
  end: number
  type: number
  /** Offset of the four bytes of its TTL. */
  ttlAt: number
}

/**
 * A server's answer. Records stay the bytes they are, with their compression and types nobody has heard of; only where each begins and ends is
 * known, so that times can be counted down and the end cut off.
 */
export interface UpstreamAnswer {
  bytes: Buffer
  rcode: number
  truncated: boolean
  /** Without OPT and what came behind it. */
  records: ResourceRecord[]
  edns?: Edns
}

/** Takes one walk over the bytes, no matter what they say. Throws when they are no message. */
export function readAnswer(bytes: Buffer): UpstreamAnswer {
  const flags = bytes.readUInt16BE(2)
  const questions = bytes.readUInt16BE(4)
  if ((flags & QR) === 0 || questions > 1) throw new RangeError('Cannot read answer: not an answer to one question')
  let at = questions === 1 ? endOfName(bytes, HEADER) + 4 : HEADER
  const records: ResourceRecord[] = []
  let edns: Edns | undefined
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries()) {
    for (let left = bytes.readUInt16BE(6 + 2 * index); left > 0; left--) {
      const ttlAt = endOfName(bytes, at) + 4
      const record = { section, start: at, end: ttlAt + 6 + bytes.readUInt16BE(ttlAt + 4), type: bytes.readUInt16BE(ttlAt - 4), ttlAt }
      if (record.end > bytes.length) throw new RangeError('Cannot read answer: it ends within a record')
      if (record.type === TYPE.OPT) edns = readOpt(bytes.subarray(record.start, record.end))
      else if (edns === undefined) records.push(record)
      at = record.end
    }
  }
  return {
    bytes,
    rcode: flags & RCODE_MASK,
    truncated: (flags & TRUNCATED) !== 0,
    records,
    ...(edns !== undefined && { edns: endToEnd(edns) }),
  }
}

/** Whether these bytes answer that question (RFC 5452 §9.1): the socket has looked at the sender, id and question are looked at here. */
export function answers(bytes: Buffer, id: number, question: Buffer): boolean {
  if (bytes.length < HEADER || bytes.readUInt16BE(0) !== id || (bytes.readUInt16BE(2) & QR) === 0) return false
  if (bytes.readUInt16BE(4) === 0) return MAY_LACK_QUESTION.has(bytes.readUInt16BE(2) & RCODE_MASK)
  return foldCase(bytes.subarray(HEADER, HEADER + question.length)) === foldCase(question)
}

/** Bytes as text that is the same for the same name in other cases. */
export function foldCase(question: Buffer): string {
  return question.toString('latin1').toLowerCase()
}

/**
 * For how many seconds an answer may be kept; 0: not at all. What is there, as long as its shortest record; what is not there, as the zone's SOA says
 * (RFC 2308 §5).
 */
export function lifetime({ bytes, rcode, truncated, records }: UpstreamAnswer): number {
  if (truncated || (rcode !== RCODE.ok && rcode !== RCODE.nameError)) return 0
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE.SOA)
  const isNegative = rcode === RCODE.nameError || !records.some(({ section }) => section === 'answer')
  if (isNegative && soa === undefined) return 0
  const ttls = records.filter(({ section }) => section !== 'additional').map(({ ttlAt }) => ttlOf(bytes, ttlAt))
  if (isNegative && soa !== undefined) ttls.push(bytes.readUInt32BE(soa.end - 4)) // the last field of SOA, MINIMUM
  return Math.min(...ttls)
}

/** The answer as `query` gets it, `age` seconds after it came, in at most `limit` bytes: records that do not fit are left out, and TC says so. */
export function passOn(answer: UpstreamAnswer, query: Query, age: number, limit: number): Buffer {
  const bytes = Buffer.from(answer.bytes)
  bytes.writeUInt16BE(query.id, 0)
  const hasQuestion = bytes.readUInt16BE(4) === 1
  if (hasQuestion) query.question.copy(bytes, HEADER)
  for (const { ttlAt } of answer.records) bytes.writeUInt32BE(Math.max(0, ttlOf(bytes, ttlAt) - age), ttlAt)
  const end = HEADER + (hasQuestion ? query.question.length : 0)
  return assemble({ bytes, records: answer.records, end }, optFor(query, answer), limit)
}

/** An answer of our own, cut to `limit` in the same way. */
export function fit(bytes: Buffer, query: Query, limit: number): Buffer {
  const { records } = readAnswer(bytes)
  return assemble({ bytes, records, end: HEADER + query.question.length }, optFor(query), limit)
}

function assemble(
  { bytes, records, end }: { bytes: Buffer; records: readonly ResourceRecord[]; end: number },
  opt: Buffer,
  limit: number,
): Buffer {
  const fitting = records.filter((record) => record.end + opt.length <= limit)
  const count = (section: ResourceRecord['section']): number => fitting.filter((record) => record.section === section).length
  const isCut = records.some((record) => record.section !== 'additional' && record.end + opt.length > limit)
  if (isCut) bytes.writeUInt16BE(bytes.readUInt16BE(2) | TRUNCATED, 2)
  bytes.writeUInt16BE(count('answer'), 6)
  bytes.writeUInt16BE(count('authority'), 8)
  bytes.writeUInt16BE(count('additional') + (opt.length > 0 ? 1 : 0), 10)
  return Buffer.concat([bytes.subarray(0, fitting.at(-1)?.end ?? end), opt])
}

function optFor(query: Query, answer?: UpstreamAnswer): Buffer {
  if (query.edns === undefined) return Buffer.alloc(0)
  return writeOpt(answer?.edns ?? { size: 0, dnssec: query.edns.dnssec, extendedRcode: 0, options: [] })
}

/** RFC 2181 §8: numbers with the highest bit mean 0. */
function ttlOf(bytes: Buffer, at: number): number {
  const ttl = bytes.readUInt32BE(at)
  return ttl > 0x7fffffff ? 0 : ttl
}
