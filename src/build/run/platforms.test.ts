import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { formatPlatform } from '#oci'
import { isRunnable, parseHandler, runnablePlatforms } from './platforms.ts'

/** Magic of an ELF header up to e_machine. */
function magic(machine: string, { bits = 64, little = true }: { bits?: 32 | 64; little?: boolean } = {}): string {
  return `7f454c46${bits === 64 ? '02' : '01'}${little ? '01' : '02'}01${'00'.repeat(9)}0200${machine}`
}

function handler(bytes: string, { state = 'enabled', flags = 'OCF' }: { state?: string; flags?: string } = {}): string {
  return `${state}\ninterpreter /usr/bin/qemu\nflags: ${flags}\noffset 0\nmagic ${bytes}\nmask ffff\n`
}

const ARM64 = magic('b700')
const ARM = magic('2800', { bits: 32 })
const S390X = magic('0016', { little: false })

describe('parseHandler', () => {
  const names = (text: string): string[] => parseHandler(text).map(formatPlatform)

  it('tells the architecture by the header that the handler waits for', () => {
    assert.deepEqual(names(handler(ARM64)), ['linux/arm64'])
    assert.deepEqual(names(handler(ARM)), ['linux/arm/v7', 'linux/arm/v6'])
    assert.deepEqual(names(handler(S390X)), ['linux/s390x'])
    assert.deepEqual(names(handler(magic('f300'))), ['linux/riscv64'])
  })

  it('leaves out what is off, what has no interpreter at hand, and what is no program of Linux', () => {
    assert.deepEqual(names(handler(ARM64, { state: 'disabled' })), [])
    assert.deepEqual(names(handler(ARM64, { flags: 'OC' })), [])
    assert.deepEqual(names(handler('cafebabe')), [])
    assert.deepEqual(names(handler(magic('ffff'))), [])
    assert.deepEqual(names(''), [])
  })
})

describe('runnablePlatforms', () => {
  let binfmt: string
  before(() => {
    binfmt = mkdtempSync(join(tmpdir(), 'gantry-binfmt-'))
    writeFileSync(join(binfmt, 'status'), 'enabled\n')
    writeFileSync(join(binfmt, 'qemu-aarch64'), handler(ARM64))
    writeFileSync(join(binfmt, 'qemu-arm'), handler(ARM))
    writeFileSync(join(binfmt, 'qemu-x86_64'), handler(magic('3e00')))
  })
  after(() => rmSync(binfmt, { recursive: true }))

  it('names the machine’s own first, and each once', () => {
    const names = runnablePlatforms({ binfmt, machine: 'x64' }).map(formatPlatform)
    assert.deepEqual(names, ['linux/amd64', 'linux/386', 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6'])
  })

  it('needs no binfmt_misc', () => {
    assert.deepEqual(runnablePlatforms({ binfmt: join(binfmt, 'nowhere'), machine: 'arm64' }).map(formatPlatform), ['linux/arm64/v8'])
  })

  it('isRunnable knows variants', () => {
    const runs = (architecture: string, variant?: string): boolean =>
      isRunnable({ os: 'linux', architecture, ...(variant !== undefined && { variant }) }, { binfmt, machine: 'x64' })
    assert.ok(runs('amd64') && runs('amd64', 'v3') && runs('386') && runs('arm64') && runs('arm64', 'v8') && runs('arm', 'v6'))
    assert.ok(!runs('s390x') && !runs('riscv64'))
    assert.equal(isRunnable({ os: 'windows', architecture: 'amd64' }, { binfmt, machine: 'x64' }), false)
  })
})
