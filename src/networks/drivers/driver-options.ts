/** Values of driver options, refused as Go refuses them; clients show these texts. */

import { invalidArgument } from '#errors'
import { type IpAddress, readAddress } from '../ipam/ip-address.ts'

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

export function booleanOption(options: Readonly<Record<string, string>>, name: string, otherwise: boolean): boolean {
  const value = options[name]
  if (value === undefined) return otherwise
  if (TRUE.includes(value)) return true
  if (FALSE.includes(value)) return false
  throw cannotParse(name, value, `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

/** 0 when absent. */
export function mtuOption(options: Readonly<Record<string, string>>): number {
  const name = 'com.docker.network.driver.mtu'
  const value = options[name]
  if (value === undefined || value === '') return 0
  if (!/^[+-]?\d{1,9}$/.test(value)) throw cannotParse(name, value, `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
  if (Number(value) < 0) throw invalidArgument(`invalid MTU number: ${Number(value)}`)
  return Number(value)
}

export function addressOption(options: Readonly<Record<string, string>>, name: string): IpAddress | undefined {
  const value = options[name]
  if (value === undefined || value === '') return undefined
  const address = readAddress(value)
  if (address === undefined) throw cannotParse(name, value, 'nil ip')
  return address
}

export function cannotParse(name: string, value: string, reason: string): Error {
  return invalidArgument(`failed to parse ${name} value: ${value} (${reason})`)
}
