const PREDEFINED: readonly string[] = ['bridge', 'host', 'none', 'default']

/** Networks that every daemon has. They are known by their name alone: their ids are another daemon's matter. */
export function isPredefined(network: string): boolean {
  return PREDEFINED.includes(network)
}
