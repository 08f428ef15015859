import type { NetworkRecord } from '../types.ts'
import type { NetworkDriver, Placement } from './driver.ts'

/** An endpoint without interface of its own: the container is on the network in name. */
export const NOWHERE: Placement = {
  hostInterface: '',
  macAddress: '',
  ipv4Address: '',
  ipv4PrefixLength: 0,
  ipv4Gateway: '',
  ipv6Address: '',
  ipv6PrefixLength: 0,
  ipv6Gateway: '',
}

/** `host` and `none`: nothing is made, ports are not published, as with Docker. */
export function createPlainDriver(record: NetworkRecord): NetworkDriver {
  return {
    record,
    interfacePrefix: '',
    sides: {},
    trusted: [],
    open: false,
    routesByLink: false,
    place: () => ({ ...NOWHERE }),
    adopt: () => {},
    remove: () => {},
    link: () => [],
    delete: async () => {},
  }
}
