/** `HostConfig.Mounts`: what `--mount` asks for. */

import type { MountRequest, MountType } from '#containers'
import { convert, field, flag, integer, list, struct, text, textList, textMap, type Codec, type StructCodec } from './codec.ts'

const bindOptions = struct<NonNullable<MountRequest['bind']>>('mount.BindOptions', {
  propagation: field('Propagation', text, { zero: 'omit' }),
  nonRecursive: field('NonRecursive', flag, { zero: 'omit', since: 40 }),
  createMountpoint: field('CreateMountpoint', flag, { zero: 'omit', since: 42 }),
  readOnlyNonRecursive: field('ReadOnlyNonRecursive', flag, { zero: 'omit', since: 44 }),
  readOnlyForceRecursive: field('ReadOnlyForceRecursive', flag, { zero: 'omit' }),
  // Not Docker's: see docs/volumes.md.
  idmap: field('x-gantry-idmap', text, { zero: 'omit' }),
})

type VolumeOptions = NonNullable<MountRequest['volume']>
type VolumeDriver = Pick<VolumeOptions, 'driver' | 'driverOptions'>

const volumeDriver = struct<VolumeDriver>('mount.Driver', {
  driver: field('Name', text, { zero: 'omit' }),
  driverOptions: field('Options', textMap, { zero: 'omit' }),
})

/** The wire nests the driver, the domain does not. */
const volumeOptions: Codec<VolumeOptions> = convert(
  struct<Omit<VolumeOptions, keyof VolumeDriver> & { driverConfig: VolumeDriver }>('mount.VolumeOptions', {
    noCopy: field('NoCopy', flag, { zero: 'omit' }),
    labels: field('Labels', textMap, { zero: 'omit' }),
    subpath: field('Subpath', text, { zero: 'omit' }),
    driverConfig: field('DriverConfig', volumeDriver.complete({ driver: '', driverOptions: {} }), { zero: 'omit' }),
  }).complete({ noCopy: false, labels: {}, subpath: '', driverConfig: { driver: '', driverOptions: {} } }),
  ({ driverConfig, ...rest }) => ({ ...rest, ...driverConfig }),
  ({ driver, driverOptions, ...rest }) => ({ ...rest, driverConfig: { driver, driverOptions } }),
)

const tmpfsOptions = struct<NonNullable<MountRequest['tmpfs']>>('mount.TmpfsOptions', {
  sizeBytes: field('SizeBytes', integer('int64'), { zero: 'omit' }),
  mode: field('Mode', integer('uint32'), { zero: 'omit' }),
  options: field('Options', list(textList, '[][]string'), { zero: 'omit', since: 46 }),
})

const imageOptions = struct<NonNullable<MountRequest['image']>>('mount.ImageOptions', {
  subpath: field('Subpath', text, { zero: 'omit' }),
})

/** The domain checks whether the type exists, with Docker's text; here it is any string. */
const mountType: Codec<MountType> = convert(
  text,
  (wire) => wire as MountType,
  (domain) => domain,
)

const mountRequest: StructCodec<MountRequest> = struct<MountRequest>('mount.Mount', {
  type: field('Type', mountType),
  source: field('Source', text, { zero: 'omit' }),
  target: field('Target', text),
  readOnly: field('ReadOnly', flag, { zero: 'omit' }),
  consistency: field('Consistency', text, { zero: 'omit' }),
  bind: field(
    'BindOptions',
    bindOptions.complete({
      propagation: '',
      nonRecursive: false,
      createMountpoint: false,
      readOnlyNonRecursive: false,
      readOnlyForceRecursive: false,
      idmap: '',
    }),
  ),
  volume: field('VolumeOptions', volumeOptions),
  tmpfs: field('TmpfsOptions', tmpfsOptions.complete({ sizeBytes: 0, mode: 0, options: [] })),
  image: field('ImageOptions', imageOptions.complete({ subpath: '' }), { since: 48 }),
})

export const mountList: Codec<MountRequest[]> = list(
  mountRequest.complete({ type: '' as MountType, source: '', target: '', readOnly: false, consistency: '' }),
  '[]mount.Mount',
)
