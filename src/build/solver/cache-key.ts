import type { Digest } from '#oci'
import { digestOfData } from '../graph/digest.ts'
import type { Op } from '../graph/types.ts'

/** Changes when what keys are made of changes, or what steps leave for equal keys: records of before are found no more. */
const VERSION = 1

/** What stands for an input: the key and output of the step it comes from, or digests of what is read of it. */
export type InputKey = { key: Digest; output: number } | { content: readonly Digest[] }

export function sourceKey(kind: string, key: string): Digest {
  return digestOfData({ version: VERSION, source: kind, key })
}

/** Definition key, or content key: it is the inputs' keys that differ. */
export function stepKey(op: Op, inputs: readonly InputKey[]): Digest {
  return digestOfData({ version: VERSION, op: withoutSecrets(op), inputs })
}

/** Of a step that was run although there was a result: its own, and with it those of all steps above. */
export function freshKey(key: Digest, nonce: string): Digest {
  return digestOfData({ version: VERSION, key, nonce })
}

/** Proxies differ from machine to machine and may hold passwords; they change no result. Values of secrets are not in operations at all. */
function withoutSecrets(op: Op): Op {
  return op.kind === 'exec' ? { ...op, proxyEnv: [] } : op
}
