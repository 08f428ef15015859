import type { Repository } from '#metadata'

/** Rows that last as long as the test. */
export function memoryRows<T>(): Repository<T> {
  const rows = new Map<string, T>()
  return {
    get: (key) => rows.get(key),
    put: (key, value) => void rows.set(key, structuredClone(value)),
    delete: (key) => void rows.delete(key),
    all: () => [...rows].map(([key, value]) => ({ key, value: structuredClone(value) })),
  }
}
