import { withoutLogin } from '#lib'
import { addressOf } from '../../graph/source-address.ts'
import type { SourceOp } from '../../graph/types.ts'

/** Connections of the client, and what names its machine. */
const PRIVATE: ReadonlySet<string> = new Set(['local.session', 'local.sharedkeyhint', 'oci.session'])

/** A source as BuildKit names it: an address, and attributes, without logins. */
export function describeSource(source: SourceOp): object {
  const { identifier, attributes } = addressOf(source)
  const attrs = Object.entries(attributes).filter(([name]) => !PRIVATE.has(name))
  const known = { identifier: withoutLogin(identifier) }
  return attrs.length === 0
    ? known
    : { ...known, attrs: Object.fromEntries(attrs.map(([name, value]) => [name, publicValue(name, value)])) }
}

function publicValue(name: string, value: string): string {
  return name === 'git.fullurl' ? withoutLogin(value) : value
}
