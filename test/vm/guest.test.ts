/** Boots a QEMU guest (software emulation) with cgroup v2 and an emulator of arm64, and runs the tests in `guest/` there; each of them is one here. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../harness/index.ts'

const missing = ['qemu-system-x86_64', 'cpio', 'mke2fs'].filter((program) => spawnSync('which', [program]).status !== 0)

test(
  'a guest passes the tests of cgroup v2 and foreign platforms',
  { skip: missing.length > 0 ? `not installed: ${missing.join(', ')}` : false },
  async (context) => {
    const made = spawnSync(join(ROOT, 'tools/vm-image.sh'), { encoding: 'utf8', cwd: ROOT })
    assert.equal(made.status, 0, made.stderr)
    const image = made.stdout.trim()
    const guest = spawn(
      'qemu-system-x86_64',
      [
        ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2048', '-nographic', '-no-reboot', '-nic', 'none'],
        ...['-kernel', join(image, 'kernel/vmlinuz'), '-initrd', join(image, 'kernel/initrd')],
        ...['-drive', `file=${join(image, 'disk')},format=raw,if=virtio,snapshot=on`],
        ...['-append', 'console=ttyS0 panic=-1 quiet'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const limit = setTimeout(() => guest.kill('SIGKILL'), 420_000)
    const lines: string[] = []
    const results: { name: string; passed: boolean }[] = []
    for await (const line of createInterface({ input: guest.stdout })) {
      lines.push(line)
      const match = /^(not )?ok \d+ - (.*?)\s*$/.exec(line)
      if (match) results.push({ name: match[2] ?? '', passed: match[1] === undefined })
    }
    clearTimeout(limit)
    for (const { name, passed } of results) await context.test(name, () => assert.ok(passed, lines.join('\n')))
    assert.ok(
      lines.some((line) => line.includes('guest: tests ended with 0')),
      lines.slice(-60).join('\n'),
    )
    assert.ok(results.length >= 17, lines.join('\n'))
  },
)
