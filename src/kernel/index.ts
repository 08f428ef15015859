/** All Linux: the only module that knows `node:ffi`. Manual to be written with the module. */
export type * from './plans.ts'
export type * from './types.ts'
