import { type MessageWriter, u32be } from '../netlink/message.ts'
import type { NftExpression } from './operations.ts'

// include/uapi/linux/netfilter/nf_tables.h
const NFTA_LIST_ELEM = 1
const NFTA_EXPR_NAME = 1
const NFTA_EXPR_DATA = 2
const NFTA_DATA_VALUE = 1
const NFTA_DATA_VERDICT = 2
const NFTA_VERDICT_CODE = 1
const NFTA_VERDICT_CHAIN = 2

/** NFT_REG32_00; each register is 4 bytes wide. */
const REGISTER_BASE = 8
const NFT_REG_VERDICT = 0

const META_KEYS = { iifname: 6, oifname: 7, l4proto: 16 } as const
const CT_KEYS = { state: 0, status: 2 } as const
const PAYLOAD_BASES = { network: 1, transport: 2 } as const
/** NF_DROP and NF_ACCEPT of netfilter.h; negative ones are nftables' own. */
const VERDICTS = { drop: 0, accept: 1, return: -5 } as const
const NFT_JUMP = -3
const NFT_FIB_RESULT_ADDRTYPE = 3
const NFTA_FIB_F_DADDR = 2
const NFT_CMP = { equal: 0, different: 1 } as const
const NFT_LOOKUP_F_INV = 1
const NFT_NAT_SNAT = 0
const NFT_NAT_DNAT = 1
const NFPROTO = { 4: 2, 6: 10 } as const

/** Writes one member of a rule's expression list. */
export function writeExpression(writer: MessageWriter, expression: NftExpression): void {
  writer.nest(NFTA_LIST_ELEM, () => {
    writer.attribute(NFTA_EXPR_NAME, kernelName(expression))
    writer.nest(NFTA_EXPR_DATA, () => writeData(writer, expression))
  })
}

function kernelName(expression: NftExpression): string {
  const names: Record<NftExpression['expr'], string> = {
    meta: 'meta',
    ct: 'ct',
    payload: 'payload',
    'fib-daddr-type': 'fib',
    compare: 'cmp',
    mask: 'bitwise',
    lookup: 'lookup',
    verdict: 'immediate',
    dnat: 'nat',
    snat: 'nat',
    masquerade: 'masq',
  }
  return names[expression.expr]
}

/** Attribute numbers are those of NFTA_<EXPRESSION>_*, in the order of the header. */
function writeData(writer: MessageWriter, expression: NftExpression): void {
  const number = (type: number, value: number): number => writer.attribute(type, u32be(value))
  const value = (type: number, bytes: Buffer): void => writer.nest(type, () => writer.attribute(NFTA_DATA_VALUE, bytes))
  switch (expression.expr) {
    case 'meta':
      number(1, register(expression.to))
      number(2, META_KEYS[expression.key])
      break
    case 'ct':
      number(1, register(expression.to))
      number(2, CT_KEYS[expression.key])
      break
    case 'payload':
      number(1, register(expression.to))
      number(2, PAYLOAD_BASES[expression.base])
      number(3, expression.offset)
      number(4, expression.length)
      break
    case 'fib-daddr-type':
      number(1, register(expression.to))
      number(2, NFT_FIB_RESULT_ADDRTYPE)
      number(3, NFTA_FIB_F_DADDR)
      break
    case 'compare':
      number(1, register(expression.from))
      number(2, NFT_CMP[expression.is])
      value(3, expression.value)
      break
    case 'mask':
      number(1, register(expression.from))
      number(2, register(expression.to))
      number(3, expression.mask.length)
      value(4, expression.mask)
      value(5, Buffer.alloc(expression.mask.length))
      break
    case 'lookup':
      writer.attribute(1, expression.set)
      number(2, register(expression.from))
      if (expression.to !== undefined) number(3, register(expression.to))
      if (expression.inverted === true) number(5, NFT_LOOKUP_F_INV)
      break
    case 'verdict':
      number(1, NFT_REG_VERDICT)
      writer.nest(2, () => writeVerdict(writer, expression.verdict))
      break
    case 'dnat':
      number(1, NFT_NAT_DNAT)
      number(2, NFPROTO[expression.family])
      number(3, register(expression.address))
      number(5, register(expression.port))
      break
    case 'snat':
      number(1, NFT_NAT_SNAT)
      number(2, NFPROTO[expression.family])
      number(3, register(expression.address))
      break
    case 'masquerade':
      break
  }
}

function writeVerdict(writer: MessageWriter, verdict: Extract<NftExpression, { expr: 'verdict' }>['verdict']): void {
  writer.nest(NFTA_DATA_VERDICT, () => {
    writer.attribute(NFTA_VERDICT_CODE, u32be(typeof verdict === 'string' ? VERDICTS[verdict] : NFT_JUMP))
    if (typeof verdict !== 'string') writer.attribute(NFTA_VERDICT_CHAIN, verdict.jump)
  })
}

function register(index: number): number {
  return REGISTER_BASE + index
}
