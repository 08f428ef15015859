import { join } from 'node:path'
import type { PeerRecipe } from './peer.ts'

/** Debian's docker.io with its own containerd and runc. */
export const docker: PeerRecipe = {
  name: 'docker.io',
  command: ({ data, state, socket, cgroupParent }) => [
    'dockerd',
    ...['--data-root', data, '--exec-root', state, '-H', `unix://${socket}`, '--cgroup-parent', cgroupParent],
    ...['--pidfile', join(state, '../daemon.pid'), '--exec-opt', 'native.cgroupdriver=cgroupfs', '--storage-driver', 'overlay2'],
  ],
}
