/** Sets members of a map of an image's config, whatever they are called: `__proto__` is a label as any other. */
export function addMembers<T>(map: Record<string, T>, members: Iterable<readonly [string, T]>): void {
  for (const [name, value] of members) Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true })
}
