import { endianness } from 'node:os'
import { internal, invalidArgument } from '#errors'
import { OPERATIONS, OPERATION_FLAGS } from './protocol.ts'
import type { FieldType, OperationFields, OperationName } from './protocol.ts'

/** A launch plan ready to be sent, with the names its failures are told by. */
export interface Plan {
  bytes: Buffer
  /** In the order of the bytes: `failed` names an index into it. */
  operations: { name: string; subject: string }[]
}

const HEADER_SIZE = 8
const FIRST_CAPACITY = 32 << 10

/**
 * Encodes operations one after the other. Text that comes from users ends up here, so a NUL in it is refused: to the C side it would
 * be the end of the string.
 */
export class PlanWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY)
  #end = 0
  readonly #operations: Plan['operations'] = []

  /**
   * `subject` is what an error names: the mount's target, the program; `as` names the operation where its own name is too general.
   * Throws INVALID_ARGUMENT for a NUL inside a string.
   */
  add<N extends OperationName>(
    name: N,
    subject: string,
    fields: OperationFields<N>,
    options: { optional?: boolean; as?: string } = {},
  ): this {
    const operation = OPERATIONS[name]
    const start = this.#end
    this.#reserve(HEADER_SIZE)
    this.#end += HEADER_SIZE
    const types: [string, FieldType][] = Object.entries(operation.fields)
    const values: Record<string, unknown> = fields
    for (const [field, type] of types) this.#field(type, values[field])
    this.#bytes.writeUInt16LE(operation.code, start)
    this.#bytes.writeUInt16LE(options.optional === true ? OPERATION_FLAGS.optional : 0, start + 2)
    this.#bytes.writeUInt32LE(this.#end - start, start + 4)
    this.#operations.push({ name: options.as ?? name, subject })
    return this
  }

  finish(): Plan {
    return { bytes: this.#bytes.subarray(0, this.#end), operations: this.#operations }
  }

  #reserve(size: number): void {
    if (this.#bytes.length - this.#end >= size) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + size))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }

  #field(type: FieldType, value: unknown): void {
    switch (type) {
      case 'u32':
        this.#reserve(4)
        this.#end = this.#bytes.writeUInt32LE((value as number) >>> 0, this.#end)
        break
      case 'i32':
        this.#reserve(4)
        this.#end = this.#bytes.writeInt32LE(value as number, this.#end)
        break
      case 'u64':
        this.#reserve(8)
        this.#end = this.#bytes.writeBigUInt64LE(value as bigint, this.#end)
        break
      case 'string':
        this.#text(`${checked(value as string)}\0`)
        break
      case 'strings':
        this.#text((value as string[]).map((each) => `${checked(each)}\0`).join(''))
        break
      case 'bytes':
        this.#opaque(value as Buffer)
        break
    }
  }

  #text(text: string): void {
    // UTF-8 takes at most three bytes per UTF-16 unit.
    this.#reserve(4 + text.length * 3 + 3)
    const size = this.#bytes.write(text, this.#end + 4)
    this.#bytes.writeUInt32LE(size, this.#end)
    this.#end += 4 + size
    this.#pad()
  }

  #opaque(value: Buffer): void {
    this.#reserve(4 + value.length + 3)
    this.#bytes.writeUInt32LE(value.length, this.#end)
    value.copy(this.#bytes, this.#end + 4)
    this.#end += 4 + value.length
    this.#pad()
  }

  #pad(): void {
    while (this.#end % 4 !== 0) this.#bytes[this.#end++] = 0
  }
}

function checked(text: string): string {
  if (text.includes('\0')) throw invalidArgument(`Cannot launch: NUL byte in ${JSON.stringify(text)}`)
  return text
}

/** Numbers travel native-endian; the writers above are little-endian, as is every machine Node has Linux binaries for but s390x. */
export function assertLittleEndian(): void {
  if (endianness() !== 'LE') throw internal('Cannot encode launch plans on a big-endian machine')
}
