import { invalidArgument } from '#errors'
import type { IpamConfig } from '../types.ts'
import { type Subnet, contains, formatAddress, formatSubnet, overlap, readAddress, readCidr } from './ip-address.ts'

/** Refuses configurations that contradict themselves, all reasons at once. Source: moby api/types/network/ipam.go, ValidateIPAM. */
export function validateIpam(configs: readonly IpamConfig[], enableIPv6: boolean): void {
  const problems = configs.flatMap((config) => problemsOf(config, enableIPv6))
  if (problems.length > 0) throw invalidArgument(`invalid network config:\n${problems.join('\n')}`)
}

function problemsOf({ subnet: text, ipRange = '', gateway = '', auxAddresses = {} }: IpamConfig, enableIPv6: boolean): string[] {
  const cidr = readCidr(text)
  if (cidr === undefined) return [`invalid subnet ${text}: invalid CIDR block notation`]
  const { subnet } = cidr
  if (subnet.family === 6 && !enableIPv6) return []
  const masked = formatSubnet(subnet)
  const asked = `${formatAddress(cidr.address)}/${subnet.prefixLength}`
  const address = (what: string, value: string): string[] => {
    const problem = addressProblem(value, subnet)
    return problem === undefined ? [] : [`${what}: ${problem}`]
  }
  return [
    ...(asked === masked ? [] : [`invalid subnet ${asked}: it should be ${masked}`]),
    ...rangeProblems(ipRange, subnet),
    ...address(`invalid gateway ${gateway}`, gateway),
    ...Object.entries(auxAddresses).flatMap(([name, value]) => address(`invalid auxiliary address ${name}`, value)),
  ]
}

function rangeProblems(text: string, subnet: Subnet): string[] {
  if (text === '') return []
  const range = readCidr(text)
  if (range === undefined) return [`invalid ip-range ${text}: invalid CIDR block notation`]
  if (range.subnet.family !== subnet.family) return [`invalid ip-range ${text}: parent subnet is an IPv${subnet.family} block`]
  const asked = `${formatAddress(range.address)}/${range.subnet.prefixLength}`
  const masked = formatSubnet(range.subnet)
  const isBigger = range.subnet.prefixLength < subnet.prefixLength
  return [
    ...(isBigger ? [`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${formatSubnet(subnet)}`] : []),
    ...(asked === masked ? [] : [`invalid ip-range ${asked}: it should be ${masked}`]),
    ...(overlap(subnet, range.subnet) ? [] : [`invalid ip-range ${text}: parent subnet ${formatSubnet(subnet)} doesn't contain ip-range`]),
  ]
}

function addressProblem(text: string, subnet: Subnet): string | undefined {
  if (text === '') return undefined
  const address = readAddress(text)
  if (address === undefined) return 'invalid address'
  if (address.family !== subnet.family) return `parent subnet is an IPv${subnet.family} block`
  return contains(subnet, address) ? undefined : `parent subnet ${formatSubnet(subnet)} doesn't contain this address`
}
