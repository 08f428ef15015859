/** Major and minor number of a device node. Source: glibc sysmacros.h, gnu_dev_major and gnu_dev_minor, whose encoding stat(2) answers in. */
export function deviceOf({ rdev }: { readonly rdev: bigint }): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  }
}
