import type { HealthcheckInstruction } from './types.ts'

/** `Healthcheck` of an image's config. Durations in nanoseconds; what is absent has the default of the engine. */
export interface HealthConfig {
  Test?: string[]
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

/** HEALTHCHECK as an image's config has it: zero is left out, as Go's encoder does. */
export function healthConfig(instruction: HealthcheckInstruction): HealthConfig {
  const { test, interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0 } = instruction
  return {
    ...(test.length > 0 && { Test: [...test] }),
    ...(interval > 0 && { Interval: interval }),
    ...(timeout > 0 && { Timeout: timeout }),
    ...(startPeriod > 0 && { StartPeriod: startPeriod }),
    ...(startInterval > 0 && { StartInterval: startInterval }),
    ...(retries > 0 && { Retries: retries }),
  }
}
