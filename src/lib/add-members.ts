/** Sets members of an object that serves as a map, whatever they are called: a client may name a label `__proto__`. */
export function addMembers<T>(map: Record<string, T>, members: Iterable<readonly [string, T]>): void {
  for (const [name, value] of members) Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true })
}
