import { closeSync } from 'node:fs'

/** A descriptor that `using` closes. */
export function ownDescriptor(fd: number): Disposable & { fd: number } {
  let open = true
  return {
    fd,
    [Symbol.dispose]() {
      if (open) closeSync(fd)
      open = false // a second close would hit whoever got the number since
    },
  }
}
