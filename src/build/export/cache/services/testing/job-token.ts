/** A token as jobs have them, valid from an hour ago for two hours; nobody checks its signature. The first scope may be written to. */
export function jobToken(scopes: readonly string[], claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const ac = JSON.stringify(scopes.map((Scope, index) => ({ Scope, Permission: index === 0 ? 3 : 1 })))
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ ac, nbf: now - 3600, exp: now + 3600, ...claims })}.c2ln`
}

/** What the token of a request allows; undefined: there is none. */
export function scopesIn(authorization: string | undefined): { write: string; read: string[] } | undefined {
  const payload = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? '')?.[1]
  if (payload === undefined) return undefined
  const { ac } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { ac: string }
  const read = (JSON.parse(ac) as { Scope: string }[]).map(({ Scope }) => Scope)
  return { write: read[0] ?? '', read }
}
