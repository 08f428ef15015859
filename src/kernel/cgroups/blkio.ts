/** Block devices. Sources: cgroup-v1/blkio-controller.rst; block/bfq-iosched.rst; cgroup-v2.rst "IO Interface Files". */

import type { ResourcesSpec, ThrottleDevice } from '#oci'
import type { Setting } from './setting.ts'

type BlockIO = NonNullable<ResourcesSpec['blockIO']>

const THROTTLES = [
  { key: 'throttleReadBpsDevice', v1: 'blkio.throttle.read_bps_device', v2: 'rbps' },
  { key: 'throttleWriteBpsDevice', v1: 'blkio.throttle.write_bps_device', v2: 'wbps' },
  { key: 'throttleReadIOPSDevice', v1: 'blkio.throttle.read_iops_device', v2: 'riops' },
  { key: 'throttleWriteIOPSDevice', v1: 'blkio.throttle.write_iops_device', v2: 'wiops' },
] as const satisfies readonly { key: keyof BlockIO; v1: string; v2: string }[]

/** The weight's file depends on the scheduler (CFQ until 5.0, BFQ since): both are tried. */
export function blkioV1(blockIO: BlockIO | undefined): Setting[] {
  if (blockIO === undefined) return []
  const settings: Setting[] = []
  if ((blockIO.weight ?? 0) !== 0) {
    for (const file of ['blkio.weight', 'blkio.bfq.weight']) settings.push({ file, value: String(blockIO.weight), optional: true })
  }
  for (const { major, minor, weight } of blockIO.weightDevice ?? []) {
    for (const file of ['blkio.weight_device', 'blkio.bfq.weight_device']) {
      settings.push({ file, value: `${major}:${minor} ${weight}`, optional: true })
    }
  }
  for (const { key, v1 } of THROTTLES) {
    for (const { major, minor, rate } of blockIO[key] ?? []) settings.push({ file: v1, value: `${major}:${minor} ${rate}` })
  }
  return settings
}

export function ioV2(blockIO: BlockIO | undefined): Setting[] {
  if (blockIO === undefined) return []
  const settings: Setting[] = []
  const weight = blockIO.weight ?? 0
  if (weight !== 0) {
    settings.push({ file: 'io.bfq.weight', value: String(weight), optional: true })
    settings.push({ file: 'io.weight', value: String(weightOfBlkio(weight)), optional: true })
  }
  for (const { major, minor, weight: own } of blockIO.weightDevice ?? []) {
    settings.push({ file: 'io.bfq.weight', value: `${major}:${minor} ${own}`, optional: true })
  }
  for (const { key, v2 } of THROTTLES) {
    for (const device of blockIO[key] ?? []) settings.push({ file: 'io.max', value: ioMax(device, v2) })
  }
  return settings
}

/** v1 weight (10 to 1000) as v2 weight (1 to 10000), linear as in runc. */
export function weightOfBlkio(weight: number): number {
  return 1 + Math.trunc(((weight - 10) * 9999) / 990)
}

/** A rate of 0 removes the limit, which v2 spells `max`. */
function ioMax({ major, minor, rate }: ThrottleDevice, key: string): string {
  return `${major}:${minor} ${key}=${rate === 0 ? 'max' : rate}`
}
