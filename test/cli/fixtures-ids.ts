/** Ids of the two containers of the fake engine. */
export const RUNNING_ID: string = '3f2a1b0c'.repeat(8)
export const STOPPED_ID: string = '9e8d7c6b'.repeat(8)
