import type { Fault } from './fault-proxy.ts'

/** What is left of a body on its way through a fault. */
export class FaultedBody {
  readonly #cut: number
  readonly #corrupt: number
  readonly #end: number
  #position = 0

  /** `length`: bytes of the whole body, 0 when it is not known. */
  constructor(fault: Fault | undefined, direction: 'request' | 'response', length: number) {
    const isCut = fault?.kind === 'cut-request' || fault?.kind === 'cut-response'
    this.#cut = isCut && fault.kind === `cut-${direction}` ? fault.at : Infinity
    this.#corrupt = fault?.kind === `corrupt-${direction}` ? Math.floor(length / 2) : Infinity
    this.#end = direction === 'response' && fault?.kind === 'resize-response' && fault.by < 0 ? length + fault.by : Infinity
  }

  /** The bytes to pass on; `isCut`: nothing more comes, and the connection ends. */
  pass(chunk: Buffer): { bytes: Buffer; isCut: boolean } {
    const from = this.#position
    this.#position += chunk.length
    const bytes = Buffer.from(chunk.subarray(0, Math.max(0, Math.min(this.#cut, this.#end) - from)))
    const corrupt = this.#corrupt - from
    if (corrupt >= 0 && corrupt < bytes.length) bytes[corrupt] = (bytes[corrupt] ?? 0) ^ 1
    return { bytes, isCut: this.#position >= this.#cut }
  }
}
