/**
 * Puts the device program of a v2 plan into force.
 *
 * Signature: createCgroupDevices(system?: SystemCalls): CgroupDevices
 */

import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { getRawPointer } from 'node:ffi'
import { createSystemCalls, type SystemCalls } from '../ffi/system-calls.ts'
import type { CgroupPlan } from '../plans.ts'
import { EBPF_INSTRUCTION_SIZE } from './device-program.ts'

export interface CgroupDevices {
  /**
   * Makes the plan's directory and attaches its device program, before the launch: a process must not get to run before it. Nothing to do on v1 and
   * for plans without a program. Throws SyscallError.
   */
  attach(plan: CgroupPlan): void
}

// include/uapi/linux/bpf.h
const BPF_PROG_LOAD = 5
const BPF_PROG_ATTACH = 8
const BPF_PROG_TYPE_CGROUP_DEVICE = 15
const BPF_CGROUP_DEVICE = 6
/** A cgroup the container makes below its own may add programs; all of them must allow. */
const BPF_F_ALLOW_MULTI = 2

/** Bytes of `union bpf_attr` that are filled in here; the kernel takes any prefix. */
const LOAD_ATTRIBUTES = 72
const ATTACH_ATTRIBUTES = 20

/** Device programs may use no helper that asks for the GPL, but the verifier wants to read a licence. */
const LICENSE = Buffer.from('Apache-2.0\0')

/** One per thread, as all that makes system calls. */
export function createCgroupDevices(system: SystemCalls = createSystemCalls()): CgroupDevices {
  return {
    attach({ version, into, deviceProgram }) {
      if (version !== 2 || into === undefined || deviceProgram === undefined) return
      mkdirSync(into, { recursive: true })
      const directory = openSync(into, constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        const program = load(system, deviceProgram)
        try {
          attach(system, directory, program)
        } finally {
          // The cgroup holds the program from here on.
          closeSync(program)
        }
      } finally {
        closeSync(directory)
      }
    },
  }
}

function load(system: SystemCalls, code: Buffer): number {
  const attributes = Buffer.alloc(LOAD_ATTRIBUTES)
  attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0)
  attributes.writeUInt32LE(code.length / EBPF_INSTRUCTION_SIZE, 4)
  attributes.writeBigUInt64LE(getRawPointer(code), 8)
  attributes.writeBigUInt64LE(getRawPointer(LICENSE), 16)
  attributes.writeUInt32LE(BPF_CGROUP_DEVICE, 68) // expected_attach_type
  return system.call('bpf', BPF_PROG_LOAD, attributes, attributes.length)
}

function attach(system: SystemCalls, directory: number, program: number): void {
  const attributes = Buffer.alloc(ATTACH_ATTRIBUTES)
  attributes.writeUInt32LE(directory, 0)
  attributes.writeUInt32LE(program, 4)
  attributes.writeUInt32LE(BPF_CGROUP_DEVICE, 8)
  attributes.writeUInt32LE(BPF_F_ALLOW_MULTI, 12)
  system.call('bpf', BPF_PROG_ATTACH, attributes, attributes.length)
}
