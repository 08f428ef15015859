/** An address as others may see it: `https://me:secret@host/x` → `https://host/x`. Users of SSH are no secret and part of the address. */
export function withoutLogin(address: string): string {
  return address.replace(/^(https?:\/\/)[^/?#]*@/i, '$1')
}
