import { detectCompression } from '#archive'

const BLOCK = 512
const CHECKSUM = { offset: 148, length: 8 }

/** Whether a file that begins so is an archive, compressed or not, rather than a Dockerfile. Source: moby/buildkit dockerui/context.go, isArchive. */
export function looksLikeArchive(header: Uint8Array): boolean {
  return detectCompression(header) !== 'none' || isTarHeader(header.subarray(0, BLOCK))
}

/** By the checksum that every format of tar has. An archive of nothing begins with its end, zeros. */
function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false
  if (block.every((byte) => byte === 0)) return true
  const { offset, length } = CHECKSUM
  const written = Buffer.from(block.subarray(offset, offset + length))
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim()
  if (!/^[0-7]+$/.test(written)) return false
  let sum = 0
  for (const [index, byte] of block.entries()) sum += index >= offset && index < offset + length ? 0x20 : byte
  return Number.parseInt(written, 8) === sum
}
