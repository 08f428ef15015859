import { isatty } from 'node:tty'

/** A terminal in the container needs one on our side when input is attached. Throws Error with Docker's text. */
export function checkTty(attachStdin: boolean, tty: boolean): void {
  if (attachStdin && tty && !isatty(0)) {
    throw new Error('the input device is not a TTY')
  }
}
