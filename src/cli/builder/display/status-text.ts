import type { StatusUpdate } from '#client'
import { humanSize } from '#lib'

/** `12.3MB / 45.6MB`, `12.3MB`, or nothing for a status that counts nothing. */
export function amount({ current, total }: StatusUpdate): string {
  if (total > 0) return `${humanSize(current)} / ${humanSize(total)}`
  return current > 0 ? humanSize(current) : ''
}

/** Seconds with one decimal: `0.3s`. */
export function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`
}

/** A status with what it counts: `transferring context: 1.2MB`. */
export function statusText(status: StatusUpdate): string {
  const count = amount(status)
  const name = status.name === '' ? status.id : status.name
  return count === '' ? name : `${name} ${count}`
}
