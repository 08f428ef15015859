/**
 * 64 hex digits. Never all decimal in the first twelve: the short form is used as a host name, and one that reads as a number is taken for
 * an IPv4 address by resolvers.
 */
export function randomId(): string {
  // Loaded when first used: node:crypto costs the CLI 6 ms of its start, and it makes no ids.
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  for (;;) {
    const id = randomBytes(32).toString('hex')
    if (/[a-f]/.test(id.slice(0, 12))) return id
  }
}

/** The first twelve digits of an id, `sha256:` removed. */
export function shortId(id: string): string {
  return (id.startsWith('sha256:') ? id.slice(7) : id).slice(0, 12)
}
