/** A specification of the runtime to try edits on. */

import type { RuntimeSpec } from '#oci'

export function sampleSpec(): RuntimeSpec {
  return {
    ociVersion: '1.2.1',
    process: { user: { uid: 0, gid: 0, additionalGids: [0] }, args: ['sh'], env: ['PATH=/bin', 'A=image'], cwd: '/' },
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: [] },
      { destination: '/srv/data', type: 'bind', source: '/data', options: ['rbind'] },
    ],
    linux: {
      namespaces: [],
      devices: [{ type: 'c', path: '/dev/a', major: 1, minor: 1 }],
      resources: { devices: [{ allow: false, access: 'rwm' }] },
    },
  }
}
