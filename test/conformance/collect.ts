import { createHash, type Hash } from 'node:crypto'
import { Writable } from 'node:stream'

/** A sink that keeps text; for outputs that fit into memory. */
export class TextSink extends Writable {
  #chunks: Buffer[] = []

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk))
    done()
  }
}

/** A sink that keeps length and checksum; for streams that do not. */
export class HashSink extends Writable {
  length: number = 0
  readonly #hash: Hash = createHash('sha256')

  get digest(): string {
    return this.#hash.copy().digest('hex')
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.length += chunk.length
    this.#hash.update(chunk)
    done()
  }
}

/** Length of a line of {@link counting}, newline included: as lines of real logs are. */
const WIDTH = 100

/** Numbered lines, cut at `bytes`: every part differs from every other, so a lost or doubled block shows. */
export function* counting(bytes: number): Generator<Buffer, void, void> {
  let left = bytes
  for (let next = 1; left > 0;) {
    const lines: string[] = []
    for (let i = 0; i < 10_000; i++) lines.push(String(next++).padStart(WIDTH - 1, '0'))
    const block = Buffer.from(`${lines.join('\n')}\n`).subarray(0, left)
    left -= block.length
    yield block
  }
}

/** What {@link HashSink} finds for {@link counting}. */
export function countingDigest(bytes: number): string {
  const hash = createHash('sha256')
  for (const block of counting(bytes)) hash.update(block)
  return hash.digest('hex')
}

/** The shell command that writes the same. */
export function countingCommand(bytes: number): string {
  return `awk 'BEGIN { for (i = 1;; i++) printf "%0${WIDTH - 1}d\\n", i }' 2>/dev/null | head -c ${bytes}`
}
