/** DNS messages as bytes, to and from what the resolver works with. The one place that knows dns-packet. RFC 1035 §4, RFC 6891. */

import { type Answer, decode, encode, type PacketOpt } from 'dns-packet'
import { EDNS_SIZE, type Edns } from './edns.ts'

const HEADER = 12
/** Longer questions than this are no questions: 255 bytes of name and a few options. */
const MAX_QUERY = 4096
/** OPT and, of clients that sign, TSIG. */
const MAX_ADDITIONALS = 4

const QR = 0x8000
const OPCODE = 0x7800
const RECURSION_AVAILABLE = 0x0080
/** What a question says about how it is to be answered: recursion desired, authentic data, checking disabled. */
const WISHES = 0x0130

export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const
export const TYPE = { A: 1, PTR: 12, SOA: 6, AAAA: 28, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 } as const
export const CLASS_IN = 1

/** One question of a client. */
export interface Query {
  id: number
  /** Flags that go upstream and come back: RD, AD, CD. */
  wishes: number
  /** Lower case, without the dot at the end; labels that are no text come out mangled, and match no name. */
  name: string
  type: number
  class: number
  /** The question section as the client wrote it: answers must repeat it, with its upper and lower case. */
  question: Buffer
  /** Absent: the client knows no EDNS, and takes 512 bytes by UDP. */
  edns?: Edns
}

/** A question that is answered with nothing but a response code; without `question` the message could not be read so far. */
export interface BadQuery {
  id: number
  rcode: number
}

export type LocalRecord = { type: 'A' | 'AAAA' | 'PTR'; ttl: number; data: string }

/**
 * Reads what a client sent. Undefined: no answer is due, for it is no question (answering answers would make two servers talk forever). Costs are
 * bounded whatever the bytes are: lengths and counts are looked at first.
 */
export function readQuery(bytes: Buffer): Query | BadQuery | undefined {
  if (bytes.length < HEADER) return undefined
  const id = bytes.readUInt16BE(0)
  const flags = bytes.readUInt16BE(2)
  if ((flags & QR) !== 0) return undefined
  if ((flags & OPCODE) !== 0) return { id, rcode: RCODE.notImplemented }
  const bad = { id, rcode: RCODE.formatError }
  const [questions, answers, authorities, additionals = 0] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at))
  if (bytes.length > MAX_QUERY || questions !== 1 || answers !== 0 || authorities !== 0 || additionals > MAX_ADDITIONALS) return bad
  try {
    const question = bytes.subarray(HEADER, endOfName(bytes, HEADER) + 4)
    const packet = decode(bytes)
    const edns = ednsOf(packet.additionals ?? [])
    return {
      id,
      wishes: flags & WISHES,
      name: (packet.questions?.[0]?.name ?? '').toLowerCase().replace(/\.$/, ''),
      type: question.readUInt16BE(question.length - 4),
      class: question.readUInt16BE(question.length - 2),
      question: Buffer.from(question),
      ...(edns !== undefined && { edns }),
    }
  } catch {
    return bad
  }
}

export function isBad(query: Query | BadQuery): query is BadQuery {
  return 'rcode' in query
}

/** The answer to {@link BadQuery}: a header. */
export function refusal({ id, rcode }: BadQuery): Buffer {
  return encode({ id, type: 'response', flags: rcode })
}

/** An answer of our own; names are written out, as Docker does. */
export function writeAnswer(query: Query, rcode: number, records: readonly LocalRecord[] = []): Buffer {
  const answers: Answer[] = records.map((record) => ({ ...record, name: query.name }))
  return withQuestion(
    encode({ id: query.id, type: 'response', flags: query.wishes | RECURSION_AVAILABLE | rcode, answers }),
    query.question,
  )
}

/** The question as it goes upstream, with an id of our own. */
export function writeUpstreamQuery(query: Query, id: number): Buffer {
  const additionals = query.edns === undefined ? [] : [optRecord(query.edns)]
  return withQuestion(encode({ id, type: 'query', flags: query.wishes, additionals }), query.question)
}

/** An OPT record as bytes, for the end of an answer. */
export function writeOpt(edns: Edns): Buffer {
  return encode({ additionals: [optRecord(edns)] }).subarray(HEADER)
}

/** The OPT record in `bytes`, which begin with it. Throws when it is malformed. */
export function readOpt(bytes: Buffer): Edns | undefined {
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(1, 10)
  return ednsOf(decode(Buffer.concat([header, bytes])).additionals ?? [])
}

/** Where the name that begins at `at` ends. Pointers are not followed; a name in a question has none. Throws RangeError at the end of the bytes. */
export function endOfName(bytes: Buffer, at: number): number {
  for (;;) {
    const length = bytes.readUInt8(at)
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    if (length >= 0x40) throw new RangeError('Cannot read name: unknown kind of label')
    at += 1 + length
  }
}

function ednsOf(additionals: readonly Answer[]): Edns | undefined {
  const opt = additionals.find((record) => record.type === 'OPT')
  if (opt === undefined || !('udpPayloadSize' in opt)) return undefined
  return {
    size: Math.max(512, opt.udpPayloadSize),
    dnssec: opt.flag_do,
    extendedRcode: opt.extendedRcode,
    options: opt.options.map(({ code, data }) => ({ code, data: Buffer.from(data ?? []) })),
  }
}

function optRecord({ dnssec, extendedRcode, options }: Edns): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: EDNS_SIZE,
    extendedRcode,
    ednsVersion: 0,
    flags: dnssec ? 0x8000 : 0,
    flag_do: dnssec,
    options: options as PacketOpt[], // the types know a few codes only, the library takes bytes for any
  }
}

/** dns-packet writes names from text; ours are bytes, which go in as they came. */
function withQuestion(packet: Buffer, question: Buffer): Buffer {
  packet.writeUInt16BE(1, 4)
  return Buffer.concat([packet.subarray(0, HEADER), question, packet.subarray(HEADER)])
}
