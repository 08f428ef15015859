/** Native-endian array of u32, as the `bytes` fields of the plan want their lists. */
export function numbers(values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer)
}
