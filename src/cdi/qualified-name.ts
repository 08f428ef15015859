/** Names of vendors, classes and devices. Source: CDI specification 1.0, "Kind" and "Devices"; texts of the reference library's pkg/parser. */

import { invalidArgument } from '#errors'

/** `vendor.com/class`; undefined where there are no two parts. */
export function splitKind(kind: string): { vendor: string; className: string } | undefined {
  const slash = kind.indexOf('/')
  return slash <= 0 || slash === kind.length - 1 ? undefined : { vendor: kind.slice(0, slash), className: kind.slice(slash + 1) }
}

/** Throws INVALID_ARGUMENT. */
export function verifyKind(kind: string): void {
  // A kind without a slash is all class to the reference library, whose vendor then is empty.
  const { vendor, className } = splitKind(kind) ?? { vendor: '', className: kind }
  verifyPart('vendor', vendor)
  verifyPart('class', className)
}

function verifyPart(what: 'vendor' | 'class', name: string): void {
  const fail = (why: string): never => {
    throw invalidArgument(`invalid ${what}. ${why}`)
  }
  if (name === '') fail('empty name')
  if (!/^[A-Za-z]/.test(name)) fail(`${JSON.stringify(name)}, should start with letter`)
  const strange = /[^A-Za-z0-9_.-]/u.exec(name.slice(1, -1))
  if (strange !== null) fail(`invalid character '${strange[0]}' in name ${JSON.stringify(name)}`)
  if (!/[A-Za-z0-9]$/.test(name)) fail(`${JSON.stringify(name)}, should end with a letter or digit`)
}

/** Throws INVALID_ARGUMENT. */
export function verifyDeviceName(name: string): void {
  if (name === '') throw invalidArgument('invalid (empty) device name')
  if (!/^[A-Za-z0-9]/.test(name)) throw invalidArgument(`invalid class ${JSON.stringify(name)}, should start with a letter or digit`)
  const strange = /[^A-Za-z0-9_.:-]/u.exec(name.slice(1, -1))
  if (strange !== null) throw invalidArgument(`invalid character '${strange[0]}' in device name ${JSON.stringify(name)}`)
  if (!/[A-Za-z0-9]$/.test(name)) throw invalidArgument(`invalid name ${JSON.stringify(name)}, should end with a letter or digit`)
}
