/** As many values as were used last. */
export interface Recent<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
}

export function createRecent<K, V>(capacity: number): Recent<K, V> {
  /** Oldest use first. */
  const values = new Map<K, V>()

  function set(key: K, value: V): void {
    values.delete(key)
    values.set(key, value)
    for (const oldest of values.keys()) {
      if (values.size <= capacity) break
      values.delete(oldest)
    }
  }

  return {
    get(key) {
      const value = values.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
    set,
  }
}
