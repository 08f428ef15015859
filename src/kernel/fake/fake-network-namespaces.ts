import type { NetworkNamespaces } from '../types.ts'
import { createFakeRouteNetlink } from './fake-route-netlink.ts'

/** {@link NetworkNamespaces} of an imaginary machine: each path has an imaginary host of its own, made when it is first entered. */
export function createFakeNetworkNamespaces(): NetworkNamespaces & {
  inside(path: string): ReturnType<typeof createFakeRouteNetlink>
} {
  const hosts = new Map<string, ReturnType<typeof createFakeRouteNetlink>>()
  function inside(path: string): ReturnType<typeof createFakeRouteNetlink> {
    const host = hosts.get(path) ?? createFakeRouteNetlink()
    hosts.set(path, host)
    return host
  }
  return { inside, run: (path, action) => action(inside(path)) }
}
