import type { ProgressMessage } from '#images'

/** One line of a progress stream as Docker spells it. */
export function encodeMessage({ progress, ...message }: ProgressMessage): object {
  return progress === undefined ? message : { ...message, progressDetail: progress }
}
