import { clipped, type WriteLog } from '../run/step-log.ts'
import type { FrontendHost, FrontendWork } from '../types.ts'

/** What a frontend's program writes to its error output, told to the client as a vertex of its own; one that writes nothing is not shown. */
export class FrontendLog implements Disposable {
  readonly #show: () => FrontendWork
  readonly #write: WriteLog = clipped((stream, data) => this.#started().log(stream, data))
  #work: FrontendWork | undefined

  constructor(host: Pick<FrontendHost, 'show'>, source: string) {
    this.#show = () => host.show(`[internal] frontend ${source}`)
  }

  write(data: Uint8Array): void {
    this.#write(2, data)
  }

  failed(error: unknown): void {
    this.#work?.failed(error)
  }

  [Symbol.dispose](): void {
    this.#work?.done()
  }

  #started(): FrontendWork {
    return (this.#work ??= this.#show())
  }
}
