import { join } from 'node:path'
import { ROOT } from '../../test/harness/index.ts'
import type { PeerRecipe } from './peer.ts'

export const gantry: PeerRecipe = {
  name: 'gantry',
  command: ({ data, state, socket, cgroupParent }) => [
    join(ROOT, 'bin/gantry'),
    'daemon',
    ...['--data-root', data, '--exec-root', state, '--host', `unix://${socket}`, '--cgroup-parent', cgroupParent],
    ...['--pidfile', join(state, '../daemon.pid')],
  ],
}
