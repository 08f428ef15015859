/**
 * An address as others may see it, in lists and in provenance: `https://me:secret@host/x` → `https://host/x`. Users may be mail addresses, so the login ends at
 * the last `@` of the host. Where a name alone logs nobody in (`ssh://git@host`), it is part of the address. Texts that are no addresses stay as they are.
 */
export function withoutLogin(text: string): string {
  return text.replace(/^(https?:\/\/)[^/?#\s]*@/i, '$1').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#\s:@]*:[^/?#\s]*@/i, '$1')
}
