import type { SourceAddress, SourcePolicy } from '#build'
import { EngineError, invalidArgument } from '#errors'
import { policy } from '#grpc'
import type { Platform } from '#oci'
import { decodeSource } from '../llb/decode-source.ts'
import { BoundedPatterns } from './bounded-pattern.ts'
import { convertedIdentifier, selects } from './selector.ts'

const { ALLOW, CONVERT, DENY } = policy.PolicyAction

/** Rules may convert what others have converted; more often than this they go round in a circle. Source: moby/buildkit sourcepolicy/engine.go. */
const MAX_CONVERSIONS = 20
const MAX_RULES = 10_000
const MAX_IDENTIFIER = 64 << 10

/**
 * A client's policy; undefined: it has no rules. A source is what the first rule makes of it that converts it, judged anew then; of rules that allow or deny, the last one
 * that is about it counts. `platform`: this machine's. Throws INVALID_ARGUMENT for rules that are none.
 */
export function sourcePolicy(given: policy.Policy | undefined, platform: Platform): SourcePolicy | undefined {
  const rules = given?.rules ?? []
  if (rules.length === 0) return undefined
  if (rules.length > MAX_RULES) throw invalidArgument(`a source policy has at most ${MAX_RULES} rules`)
  const checked = rules.map(checkedRule)
  const patterns = new BoundedPatterns()
  return (source, own) => {
    let address = source
    for (let conversions = 0; ; conversions++) {
      const converted = judge(checked, address, patterns)
      if (converted === undefined) break
      if (conversions === MAX_CONVERSIONS) throw invalidArgument('too many mutations on a single source: too many operations')
      address = converted
    }
    return address === source ? undefined : decodeSource(address.identifier, address.attributes, own ?? platform)
  }
}

type Rule = Pick<policy.Rule, 'action' | 'updates'> & { selector: policy.Selector }

function checkedRule({ action, selector, updates }: policy.Rule): Rule {
  if (selector === undefined) throw invalidArgument('invalid nil selector in policy')
  if (![ALLOW, DENY, CONVERT].includes(action)) throw invalidArgument(`source policy: rule ${action} ${selector.identifier}: unknown type`)
  if (action === CONVERT && updates === undefined) throw invalidArgument('missing destination for convert rule')
  return { action, selector, ...(updates !== undefined && { updates }) }
}

/** What the source becomes; undefined: it may stay. */
function judge(rules: readonly Rule[], address: SourceAddress, patterns: BoundedPatterns): SourceAddress | undefined {
  let isDenied = false
  for (const { action, selector, updates } of rules) {
    if (!selects(selector, address, patterns)) continue
    if (action !== CONVERT) {
      isDenied = action === DENY
      continue
    }
    const converted = updates && convert(address, selector, updates, patterns)
    if (converted !== undefined) return converted
  }
  if (isDenied) throw new EngineError('FORBIDDEN', `source ${JSON.stringify(address.identifier)} denied by policy: source denied by policy`)
  return undefined
}

/** undefined: it is the same already. */
function convert(
  { identifier: old, attributes }: SourceAddress,
  selector: policy.Selector,
  updates: policy.Update,
  patterns: BoundedPatterns,
): SourceAddress | undefined {
  const identifier = updates.identifier === '' ? old : convertedIdentifier(selector, updates.identifier, old, patterns)
  if (identifier.length > MAX_IDENTIFIER) throw invalidArgument('a source policy makes an identifier too long')
  const isSame = identifier === old && Object.entries(updates.attrs).every(([name, value]) => attributes[name] === value)
  if (isSame) return undefined
  const { 'git.fullurl': remote, ...others } = attributes
  const kept = remote === undefined || repositoryOf(identifier) !== repositoryOf(old) ? others : attributes
  return { identifier, attributes: { ...kept, ...updates.attrs } }
}

/** How a repository is reached (`git.fullurl`) is said of that one: another one would not be fetched at all. BuildKit leaves this to the rule's author. */
function repositoryOf(identifier: string): string {
  return identifier.split('#', 1)[0] ?? ''
}
