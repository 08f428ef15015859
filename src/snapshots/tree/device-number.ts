import type { BigIntStats } from 'node:fs'

/** Major and minor number of a device node. Source: glibc sysmacros.h, whose encoding stat(2) answers in. */
export function deviceOf({ rdev }: BigIntStats): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  }
}
