import { OPERATION_FLAGS, OPERATIONS } from './protocol.ts'
import type { FieldType } from './protocol.ts'

const BY_CODE = new Map(Object.entries(OPERATIONS).map(([name, operation]) => [operation.code as number, { name, ...operation }]))

/** Large opaque fields are shown by their size. */
const SHOWN_BYTES = 32

/** The bytes of a plan as text, an operation per line: what the C program will read, for goldens and for looking into a failure. */
export function dumpPlan(plan: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < plan.length;) {
    const operation = BY_CODE.get(plan.readUInt16LE(at))
    const size = plan.readUInt32LE(at + 4)
    if (operation === undefined || size < 8) throw new Error(`malformed plan at byte ${at}`)
    const optional = (plan.readUInt16LE(at + 2) & OPERATION_FLAGS.optional) !== 0 ? '?' : ''
    const reader = new FieldReader(plan.subarray(at + 8, at + size))
    const fields = Object.entries(operation.fields).map(([name, type]) => `${name}=${reader.read(type)}`)
    if (!reader.atEnd) throw new Error(`malformed ${operation.name} at byte ${at}`)
    lines.push([`${operation.stage} ${operation.name}${optional}`, ...fields].join(' '))
    at += size
  }
  return `${lines.join('\n')}\n`
}

class FieldReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  read(type: FieldType): string {
    switch (type) {
      case 'u32':
        return hexWhenLarge(this.#bytes.readUInt32LE(this.#advance(4)))
      case 'i32':
        return String(this.#bytes.readInt32LE(this.#advance(4)))
      case 'u64':
        return hexWhenLarge(this.#bytes.readBigUInt64LE(this.#advance(8)))
      case 'string':
        return JSON.stringify(this.#block().subarray(0, -1).toString())
      case 'strings':
        return JSON.stringify(this.#block().toString().split('\0').slice(0, -1))
      default:
        return opaque(this.#block())
    }
  }

  #advance(size: number): number {
    const at = this.#at
    this.#at += size
    return at
  }

  #block(): Buffer {
    const length = this.#bytes.readUInt32LE(this.#advance(4))
    const start = this.#advance((length + 3) & ~3)
    return this.#bytes.subarray(start, start + length)
  }
}

function opaque(bytes: Buffer): string {
  return bytes.length > SHOWN_BYTES ? `<${bytes.length} bytes>` : `<${bytes.toString('hex')}>`
}

function hexWhenLarge(value: number | bigint): string {
  return value < 4096 ? String(value) : `0x${value.toString(16)}`
}
