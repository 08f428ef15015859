/** `{ label: ['a=b'] }`: values of one key are alternatives (of `label` all must match), different keys must all match. */
export type Filters = Record<string, string[]>

/** Filters as a query value; no filters, no parameter. */
export function unlessEmpty(filters: Filters | undefined): Filters | undefined {
  return filters === undefined || Object.keys(filters).length === 0 ? undefined : filters
}
