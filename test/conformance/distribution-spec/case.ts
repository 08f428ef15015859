import type { RegistryClient } from './registry-client.ts'

/** One thing that a registry has to do. */
export interface Case {
  /** Heading in distribution-spec v1.1 spec.md, with the endpoint's id; or another document that is named. */
  section: string
  name: string
  check: (client: RegistryClient) => Promise<void>
}

/** Cases of one section. */
export function section(heading: string, checks: Readonly<Record<string, Case['check']>>): Case[] {
  return Object.entries(checks).map(([name, check]) => ({ section: heading, name, check }))
}
