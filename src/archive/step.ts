import type { TarEvent } from './types.ts'

/**
 * What the parser of a tar wants next: `take` bytes in one piece (`boundary`: the archive may end here), `body` bytes passed on as data of the file
 * at `offset`, `skip` bytes dropped (`boundary`: as far as there are any).
 */
export type Step = { take: number; boundary?: true } | { body: number; offset: number } | { skip: number; boundary?: true } | TarEvent
