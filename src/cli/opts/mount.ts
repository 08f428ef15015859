import type { Mount } from '#api'
import { parseGoBoolean, parseRamBytes, splitCsvLine } from '#lib'
import { resolve } from 'node:path'

/** Keys that may stand alone. */
const SWITCHES = ['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']

/**
 * One `--mount`: a line of CSV with `key=value` fields. Throws Error with Docker's text.
 * Source: docker/cli reference, "Add bind mounts, volumes or memory filesystems".
 */
export function parseMount(text: string, workingDirectory: string): Mount {
  const mount: Mount = { Type: 'volume', Target: '' }
  for (const field of splitCsvLine(text)) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    if (equals < 0) {
      if (!SWITCHES.includes(key)) throw new Error(`invalid field '${field}' must be a key=value pair`)
      applyField(mount, key, 'true', field, workingDirectory)
    } else applyField(mount, key, field.slice(equals + 1), field, workingDirectory)
  }
  placeIdmap(mount)
  checkMount(mount)
  return mount
}

function applyField(mount: Mount, key: string, value: string, field: string, workingDirectory: string): void {
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase()
      return
    case 'source':
    case 'src':
      mount.Source = value === '.' || value.startsWith('./') ? resolve(workingDirectory, value) : value
      return
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = value
      return
    case 'readonly':
    case 'ro':
      mount.ReadOnly = switchValue(key, value)
      return
    case 'idmap':
      // Not docker's. The type may come later.
      mount.BindOptions = { ...mount.BindOptions, 'x-gantry-idmap': value }
      return
    case 'consistency':
      mount.Consistency = value.toLowerCase()
      return
  }
  const [family] = key.split('-', 1)
  if (family === 'bind') applyBindField((mount.BindOptions ??= {}), key, value, field)
  else if (family === 'volume') applyVolumeField(mount, key, value, field)
  else if (key === 'image-subpath') mount.ImageOptions = { Subpath: value }
  else if (family === 'tmpfs') applyTmpfsField((mount.TmpfsOptions ??= {}), key, value, field)
  else throw unexpected(key, field)
}

/** Owners of a volume are an option of its driver, which any client can give; those of a directory have a field of their own. */
function placeIdmap(mount: Mount): void {
  const { 'x-gantry-idmap': idmap, ...others } = mount.BindOptions ?? {}
  if (idmap === undefined || mount.Type !== 'volume') return
  applyVolumeField(mount, 'volume-opt', `idmap=${idmap}`, '')
  if (Object.keys(others).length > 0) mount.BindOptions = others
  else delete mount.BindOptions
}

function applyBindField(options: NonNullable<Mount['BindOptions']>, key: string, value: string, field: string): void {
  switch (key) {
    case 'bind-propagation':
      options.Propagation = value.toLowerCase()
      return
    case 'bind-create-src':
      options.CreateMountpoint = switchValue(key, value)
      return
    case 'bind-nonrecursive':
      options.NonRecursive = switchValue(key, value)
      return
    case 'bind-recursive':
      if (value === 'disabled') options.NonRecursive = true
      else if (value === 'writable') options.ReadOnlyNonRecursive = true
      else if (value === 'readonly') options.ReadOnlyForceRecursive = true
      else if (value !== 'enabled') {
        throw new Error(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`)
      }
      return
    default:
      throw unexpected(key, field)
  }
}

function applyVolumeField(mount: Mount, key: string, value: string, field: string): void {
  const options = (mount.VolumeOptions ??= {})
  options.DriverConfig ??= {}
  options.Labels ??= {}
  switch (key) {
    case 'volume-subpath':
      options.Subpath = value
      return
    case 'volume-nocopy':
      options.NoCopy = switchValue(key, value)
      return
    case 'volume-label':
      setPair(options.Labels, value)
      return
    case 'volume-driver':
      options.DriverConfig.Name = value
      return
    case 'volume-opt':
      setPair((options.DriverConfig.Options ??= {}), value)
      return
    default:
      throw unexpected(key, field)
  }
}

function applyTmpfsField(options: NonNullable<Mount['TmpfsOptions']>, key: string, value: string, field: string): void {
  if (key === 'tmpfs-size') {
    try {
      options.SizeBytes = parseRamBytes(value)
    } catch (error) {
      throw new Error(`invalid value for ${key}: ${value}`, { cause: error })
    }
  } else if (key === 'tmpfs-mode') {
    if (!/^[0-7]{1,11}$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`)
    options.Mode = Number.parseInt(value, 8)
  } else throw unexpected(key, field)
}

function checkMount(mount: Mount): void {
  if (mount.Type === '') throw new Error('type is required')
  if (mount.Target === '') throw new Error('target is required')
  const families = [
    ['volume', mount.VolumeOptions],
    ['image', mount.ImageOptions],
    ['bind', mount.BindOptions],
    ['tmpfs', mount.TmpfsOptions],
  ] as const
  for (const [family, options] of families) {
    if (options !== undefined && mount.Type !== family) throw new Error(`cannot mix '${family}-*' options with mount type '${mount.Type}'`)
  }
  const bind = mount.BindOptions ?? {}
  if (bind.ReadOnlyNonRecursive === true && mount.ReadOnly !== true) {
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
  }
  if (bind.ReadOnlyForceRecursive !== true) return
  if (mount.ReadOnly !== true) throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
  if (bind.Propagation !== 'rprivate') {
    throw new Error("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction")
  }
}

function switchValue(key: string, value: string): boolean {
  try {
    return parseGoBoolean(value)
  } catch (error) {
    throw new Error(`invalid value for ${key}: ${value}`, { cause: error })
  }
}

function setPair(target: Record<string, string>, pair: string): void {
  const equals = pair.indexOf('=')
  const key = equals < 0 ? pair : pair.slice(0, equals)
  if (key !== '') target[key] = equals < 0 ? '' : pair.slice(equals + 1)
}

function unexpected(key: string, field: string): Error {
  return new Error(`unexpected key '${key}' in '${field}'`)
}
