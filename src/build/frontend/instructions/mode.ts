import { invalidArgument } from '#errors'

const SYMBOLIC = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+(?:,[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)*$/

/** Value of `--chmod`: octal, or symbolic as chmod(1) reads it. */
export function parseMode(text: string): number | string {
  if (/^[0-7]{1,6}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return Number.parseInt(text, 8)
  if (SYMBOLIC.test(text)) return text
  throw invalidArgument(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`)
}
