import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_CAPABILITIES } from '#kernel'
import type { HostConfig } from '../configuration.ts'
import { sampleHostConfig } from './sample-input.ts'
import { verifySpecOptions } from './verify-spec-options.ts'

function verify(changes: Partial<HostConfig>): void {
  verifySpecOptions(sampleHostConfig(changes), { capabilities: DEFAULT_CAPABILITIES })
}

function refused(changes: Partial<HostConfig>, message: string): void {
  assert.throws(() => verify(changes), { code: 'INVALID_ARGUMENT', message })
}

describe('verifySpecOptions', () => {
  it('takes the defaults and a bit of everything', () => {
    verify({})
    verify({
      capAdd: ['chown'],
      capDrop: ['ALL'],
      securityOpt: ['label=disable', 'disable', 'label:user:x', 'no-new-privileges:false', 'seccomp=unconfined', 'apparmor=x'],
      sysctls: { 'net.core.somaxconn': '1', 'kernel.msgmax': '1', 'fs.mqueue.msg_max': '1', 'kernel.domainname': 'x' },
      ulimits: [{ name: 'nofile', soft: 1, hard: -1 }],
      devices: [{ pathOnHost: '/dev/x', pathInContainer: '/dev/x', cgroupPermissions: 'mr' }],
      deviceCgroupRules: ['a *:* r', 'c 1:* rwm'],
      tmpfs: { '/run': '', '/tmp': 'rw,size=1g,mode=1777,uid=1' },
    })
  })

  it('refuses capabilities with the field in front', () => {
    refused({ capAdd: ['FLY'] }, 'invalid CapAdd: unknown capability: "CAP_FLY"')
    refused({ capDrop: ['FLY'] }, 'invalid CapDrop: unknown capability: "CAP_FLY"')
    refused(
      { capAdd: ['SYS_ADMIN'] },
      'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_ADMIN"',
    )
  })

  it('refuses security options in the words of Docker', () => {
    refused({ securityOpt: ['what'] }, 'invalid --security-opt 1: "what"')
    refused({ securityOpt: ['what=ever'] }, 'invalid --security-opt 2: "what=ever"')
    refused({ securityOpt: ['systempaths=unconfined'] }, 'invalid --security-opt 2: "systempaths=unconfined"')
    refused({ securityOpt: ['no-new-privileges=maybe'] }, 'invalid --security-opt 2: "no-new-privileges=maybe"')
    assert.throws(() => verify({ securityOpt: ['seccomp={'] }), { message: /^Decoding seccomp profile failed: / })
  })

  it('refuses sysctls that are not of the namespaces of the container', () => {
    refused({ sysctls: { 'vm.swappiness': '1' } }, 'sysctl "vm.swappiness" is not in a separate kernel namespace')
    refused(
      { sysctls: { 'net.core.somaxconn': '1' }, networkMode: 'host' },
      'sysctl "net.core.somaxconn" not allowed in host network namespace',
    )
    refused({ sysctls: { 'kernel.sem': '1' }, ipcMode: 'host' }, 'sysctl "kernel.sem" is not allowed in the hosts ipc namespace')
    refused(
      { sysctls: { 'kernel.hostname': 'x' } },
      'sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field',
    )
    refused({ sysctls: { 'kernel.domainname': 'x' }, utsMode: 'host' }, 'sysctl "kernel.domainname" is not in a separate kernel namespace')
  })

  it('refuses ulimits, devices and tmpfs mounts that cannot be', () => {
    refused({ ulimits: [{ name: 'files', soft: 1, hard: 1 }] }, 'invalid ulimit type: files')
    refused({ ulimits: [{ name: 'nofile', soft: 2, hard: 1 }] }, 'ulimit soft limit must be less than or equal to hard limit: 2 > 1')
    refused({ ulimits: [{ name: 'nofile', soft: -1, hard: 1 }] }, 'ulimit soft limit must be less than or equal to hard limit: -1 > 1')
    const device = { pathOnHost: '/dev/x', pathInContainer: '/dev/x' }
    refused({ devices: [{ ...device, cgroupPermissions: 'rx' }] }, 'invalid device mode: rx')
    refused({ devices: [{ ...device, cgroupPermissions: 'rr' }] }, 'invalid device mode: rr')
    refused({ deviceCgroupRules: ['c 1 rwm'] }, "invalid device cgroup rule format: 'c 1 rwm'")
    refused({ tmpfs: { '/': '' } }, "invalid specification: destination can't be '/'")
    refused({ tmpfs: { run: '' } }, "invalid mount path: 'run' mount path must be absolute")
    refused({ tmpfs: { '/run': 'colour=red' } }, 'invalid tmpfs option ["colour" "red"]')
    refused({ tmpfs: { '/run': 'fast' } }, 'invalid tmpfs option ["fast"]')
  })
})
