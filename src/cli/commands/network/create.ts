/** `docker network create`: make a network. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, list, string, strings } from '../../parser/flag.ts'
import { createNetwork } from '#client'
import { BlockList, isIP } from 'node:net'
import type { IpamPool } from '#api'
import { checkLabel, toMap } from '../../opts/key-values.ts'

export const command: Command = defineCommand({
  use: 'create [OPTIONS] NETWORK',
  short: 'Create a network',
  args: exactly(1),
  flags: {
    attachable: bool('Enable manual container attachment'),
    'aux-address': { ...list('Auxiliary IPv4 or IPv6 addresses used by Network driver', { defaultText: 'map[]' }), kind: 'map' },
    'config-from': string('The network from which to copy the configuration'),
    'config-only': bool('Create a configuration only network'),
    driver: string('Driver to manage the Network', { short: 'd', initial: 'bridge' }),
    gateway: strings('IPv4 or IPv6 Gateway for the master subnet'),
    ingress: bool('Create swarm routing-mesh network'),
    internal: bool('Restrict external access to the network'),
    'ip-range': strings('Allocate container ip from a sub-range'),
    'ipam-driver': string('IP Address Management Driver', { initial: 'default' }),
    'ipam-opt': { ...list('Set IPAM driver specific options', { defaultText: 'map[]' }), kind: 'map' },
    ipv4: bool('Enable or disable IPv4 address assignment', { initial: true }),
    ipv6: bool('Enable or disable IPv6 address assignment'),
    label: list('Set metadata on a network', { check: checkLabel }),
    opt: { ...list('Set driver specific options', { short: 'o', defaultText: 'map[]' }), kind: 'map' },
    scope: string("Control the network's scope"),
    subnet: strings('Subnet in CIDR format that represents a network segment'),
  },
  async run(cli, { flags, changed, args }) {
    const [name = ''] = args
    const { Id } = await createNetwork(cli.engine(), {
      Name: name,
      Driver: flags.driver,
      Scope: flags.scope,
      ...(changed.has('ipv4') ? { EnableIPv4: flags.ipv4 } : {}),
      ...(changed.has('ipv6') ? { EnableIPv6: flags.ipv6 } : {}),
      IPAM: { Driver: flags['ipam-driver'], Options: toMap(flags['ipam-opt']), Config: addressPools(flags) },
      Internal: flags.internal,
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      ConfigOnly: flags['config-only'],
      ConfigFrom: flags['config-from'] === '' ? null : { Network: flags['config-from'] },
      Options: toMap(flags.opt),
      Labels: toMap(flags.label),
    })
    cli.print(Id)
    return OK
  },
})

interface PoolFlags {
  subnet: string[]
  'ip-range': string[]
  gateway: string[]
  'aux-address': string[]
}

/** One pool for each subnet, with the ranges, gateways and reserved addresses that lie in it. Throws Error with Docker's text. */
function addressPools(flags: PoolFlags): IpamPool[] {
  const { subnet: subnets, gateway: gateways } = flags
  if (subnets.length < flags['ip-range'].length || subnets.length < gateways.length) {
    throw new Error('every ip-range or gateway must have a corresponding subnet')
  }
  refuseOverlaps(subnets)
  const pools: (IpamPool & { Subnet: string })[] = subnets.map((Subnet) => ({ Subnet }))
  const poolOf = (address: string, what: string): (typeof pools)[number] => {
    const pool = pools.find(({ Subnet }) => contains(Subnet, address))
    if (pool === undefined) throw new Error(`no matching subnet for ${what} ${address}`)
    return pool
  }
  for (const range of flags['ip-range']) {
    const pool = poolOf(range, 'range')
    if (pool.IPRange) throw new Error(`cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`)
    pool.IPRange = range
  }
  for (const gateway of gateways) {
    const pool = poolOf(gateway, 'gateway')
    if (pool.Gateway)
      throw new Error(`cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`)
    pool.Gateway = gateway
  }
  for (const [key, address] of Object.entries(toMap(flags['aux-address']))) {
    const pool = poolOf(address, 'aux-address')
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [key]: address }
  }
  return pools
}

function refuseOverlaps(subnets: readonly string[]): void {
  for (const [index, subnet] of subnets.entries()) {
    for (const other of subnets.slice(0, index)) {
      if (contains(subnet, other) || contains(other, subnet)) throw new Error('multiple overlapping subnet configuration is not supported')
    }
  }
}

/** Whether an address, or the address before the slash of a range, lies in a subnet. */
function contains(subnet: string, address: string): boolean {
  const [network = '', prefix = ''] = subnet.split('/')
  const list = new BlockList()
  try {
    list.addSubnet(network, Number(prefix), familyOf(network))
  } catch {
    throw new Error(`invalid subnet: invalid CIDR address: ${subnet}`)
  }
  const candidate = address.split('/')[0] ?? ''
  return isIP(candidate) !== 0 && list.check(candidate, familyOf(candidate))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}
