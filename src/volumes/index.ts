/** Manual to be written with the module. */
export * from './types.ts'
