/** Manual to be written with the module. */
export type * from './types.ts'
export { LaunchError } from './types.ts'
export { createRuntime, type RuntimeDeps } from './runtime.ts'
