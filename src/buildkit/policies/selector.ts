import type { SourceAddress } from '#build'
import { invalidArgument } from '#errors'
import { policy } from '#grpc'
import type { BoundedPatterns } from './bounded-pattern.ts'
import { expandTemplate } from './expand-template.ts'
import { matchWildcard } from './wildcard.ts'

/** Whether a rule is about this source. Source: moby/buildkit sourcepolicy/matcher.go. */
export function selects(selector: policy.Selector, { identifier, attributes }: SourceAddress, patterns: BoundedPatterns): boolean {
  if (!selector.constraints.every((constraint) => isMet(constraint, attributes, patterns))) return false
  if (selector.identifier === identifier) return true
  switch (selector.matchType) {
    case policy.MatchType.EXACT:
      return false
    case policy.MatchType.WILDCARD:
      return matchWildcard(selector.identifier, identifier) !== undefined
    case policy.MatchType.REGEX:
      return patterns.matchAll(selector.identifier, identifier).length > 0
    default:
      throw invalidArgument(`unknown match type: ${String(selector.matchType)}`)
  }
}

/** An attribute that a source does not have is empty. */
function isMet(
  { key, value, condition }: policy.AttrConstraint,
  attributes: SourceAddress['attributes'],
  patterns: BoundedPatterns,
): boolean {
  const own = attributes[key] ?? ''
  switch (condition) {
    case policy.AttrMatch.EQUAL:
      return own === value
    case policy.AttrMatch.NOTEQUAL:
      return own !== value
    case policy.AttrMatch.MATCHES:
      return patterns.matchAll(value, own).length > 0
    default:
      throw invalidArgument(`unknown attr condition: ${String(condition)}`)
  }
}

/**
 * What `template` makes of an identifier that the selector matches: of a pattern, each place where it matches is replaced; else all of it. Where the selector is
 * exact there are no groups; BuildKit takes the selector's own identifier then, by which nothing could ever be converted.
 */
export function convertedIdentifier(selector: policy.Selector, template: string, identifier: string, patterns: BoundedPatterns): string {
  switch (selector.matchType) {
    case policy.MatchType.WILDCARD: {
      const stars = matchWildcard(selector.identifier, identifier) ?? []
      return expandTemplate(template, Object.fromEntries([identifier, ...stars].entries()))
    }
    case policy.MatchType.REGEX: {
      let text = ''
      let done = 0
      for (const { start, end, groups } of patterns.matchAll(selector.identifier, identifier)) {
        text += identifier.slice(done, start) + expandTemplate(template, groups)
        done = end
      }
      return text + identifier.slice(done)
    }
    case policy.MatchType.EXACT:
    default:
      return template
  }
}
