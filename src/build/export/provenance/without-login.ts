/**
 * An address as it may be published: without user and password, since a token may be either. Only a name that stands alone before another scheme stays
 * (`ssh://git@…`). Texts that are no addresses are left as they are. Source: moby/buildkit util/urlutil/redact.go.
 */
export function withoutLogin(text: string): string {
  return text
    .replace(/^(https?:\/\/)[^/@\s]*@/i, '$1xxxxx:xxxxx@')
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@:\s]*:[^/@\s]*@/i, '$1xxxxx:xxxxx@')
}
