/** Life of a container: exit codes, signals, failures to launch, what it sees. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { LaunchError } from '#runtime'
import { unshared } from '../unshared.ts'
import { Bench, MOUNTS, write } from './bench.ts'
import { eventually } from '../../harness/eventually.ts'

unshared(import.meta.filename, () => {
  suite('a container', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    test('ends with its program’s exit code', async () => {
      assert.equal((await bench.run(['true'])).exitCode, 0)
      assert.equal((await bench.run(['sh', '-c', 'exit 7'])).exitCode, 7)
    })

    test('ends with 128 and the signal that killed it', async () => {
      const task = await bench.runtime.create(bench.launch(['sleep', '100']))
      await task.start()
      assert.ok(task.pid > 0)
      assert.ok(Math.abs(task.startedAt - Date.now()) < 60_000)
      await task.kill(9)
      const exit = await task.exited
      assert.equal(exit.exitCode, 137)
      assert.equal(exit.signal, 9)
      assert.equal(exit.oomKilled, false)
      assert.ok(exit.finishedAt >= task.startedAt)
      await assert.rejects(task.kill(9), { code: 'NOT_FOUND' })
      await task.delete()
    })

    test('has pid 1, its hostname, its own process table, no descriptor but the streams', async () => {
      const { stdout } = await bench.run(['sh', '-c', 'echo $$; hostname; set -- /proc/[0-9]*; echo $#; ls /proc/self/fd | tr "\\n" " "'])
      // ls itself opens the directory it lists.
      assert.deepEqual(stdout.split('\n'), ['1', 'bench', '1', '0 1 2 3 '])
    })

    test('sees no mount of the host', async () => {
      const { stdout } = await bench.run(['cat', '/proc/self/mountinfo'])
      const targets = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[4])
      const expected = ['/', ...MOUNTS.map((mount) => mount.destination), '/proc/sys', '/proc/bus', '/sys/firmware']
      const present = targets.filter((target) => !/^\/proc\/(kcore|acpi)$/.test(target!))
      assert.deepEqual(new Set(present), new Set(expected))
    })

    test('has identity, capabilities, limits and working directory as asked for', async () => {
      const { stdout } = await bench.run(
        ['sh', '-c', 'id; pwd; umask; ulimit -n; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; cat /proc/self/oom_score_adj'],
        {
          process: {
            user: { uid: 1000, gid: 1001, additionalGids: [1002, 1003], umask: 0o027 },
            cwd: '/made/here',
            env: ['PATH=/bin'],
            rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
            noNewPrivileges: true,
            oomScoreAdj: 321,
            capabilities: {
              bounding: ['CAP_CHOWN', 'CAP_KILL'],
              effective: ['CAP_KILL'],
              permitted: ['CAP_KILL'],
              inheritable: ['CAP_KILL'],
              ambient: ['CAP_KILL'],
            },
          },
        },
      )
      assert.deepEqual(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.replace(/\s+/g, ' ')),
        [
          'uid=1000 gid=1001 groups=1002,1003',
          '/made/here',
          '0027',
          '100',
          'CapEff: 0000000000000020',
          'CapBnd: 0000000000000021',
          'NoNewPrivs: 1',
          '321',
        ],
      )
    })

    test('can open its standard streams by path as a user without privileges', async () => {
      const user = { uid: 1000, gid: 1000 }
      const capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }
      const { stdout, exitCode } = await bench.run(['sh', '-c', 'echo here > /dev/stdout'], { process: { user, capabilities } })
      assert.equal(stdout, 'here\n')
      assert.equal(exitCode, 0)
    })

    test('cannot write to protected paths, nor to a read-only root', async () => {
      const script =
        'echo 1 > /proc/sys/kernel/domainname; touch /x; head -c1 /proc/kcore | wc -c; ls /sys/firmware | wc -l; touch /dev/shm/x && echo shm'
      const { stdout, stderr } = await bench.run(['sh', '-c', script], { root: { readonly: true } })
      assert.match(stderr, /domainname: Read-only file system/)
      assert.match(stderr, /\/x: Read-only file system/)
      assert.equal(stdout, '0\n0\nshm\n')
    })

    test('gets sysctls of its namespaces', async () => {
      const { stdout } = await bench.run(['cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'], {
        linux: { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '7' } },
      })
      assert.equal(stdout, '7\n')
      assert.notEqual(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'), '7\n')
    })

    test('that is missing its program fails to start and leaves nothing', async () => {
      const task = await bench.runtime.create(bench.launch(['no-such-program']))
      await assert.rejects(
        task.start(),
        (error) =>
          error instanceof LaunchError && error.operation === 'execve' && error.code === 'ENOENT' && error.subject === 'no-such-program',
      )
      await task.delete()
      // The monitor's connection ends a moment before the monitor.
      await eventually(() => assert.equal(bench.processes().length, 1))
    })

    test('whose program may not be executed fails with EACCES, in another format with ENOEXEC', async () => {
      write(join(bench.rootfs, 'bin/plain'), 'text', 0o644)
      write(join(bench.rootfs, 'bin/garbage'), 'garbage', 0o755)
      for (const [program, code] of [
        ['plain', 'EACCES'],
        ['/bin/plain', 'EACCES'],
        ['/bin', 'EACCES'],
        ['garbage', 'ENOEXEC'],
        ['/nowhere', 'ENOENT'],
      ] as const) {
        const task = await bench.runtime.create(bench.launch([program]))
        await assert.rejects(task.start(), { operation: 'execve', code, subject: program })
      }
    })

    test('whose bind source is missing is told by its mount', async () => {
      const mounts = [...MOUNTS, { destination: '/data', type: 'bind', source: '/no/such/source', options: ['rbind'] }]
      await assert.rejects(bench.runtime.create(bench.launch(['true'], { mounts })), {
        operation: 'bind',
        subject: '/no/such/source on /data',
        code: 'ENOENT',
        message: 'bind /no/such/source on /data: no such file or directory',
      })
    })

    test('does not follow links of its image out of the root when mounting', async () => {
      const outside = join(bench.base, 'outside')
      mkdirSync(outside)
      symlinkSync(outside, join(bench.rootfs, 'escape'))
      symlinkSync('../run/deep/resolv.conf', join(bench.rootfs, 'etc/resolv.conf'))
      write(join(bench.base, 'source'), 'bound', 0o644)
      const mounts = [
        ...MOUNTS,
        { destination: '/escape/file', type: 'bind', source: join(bench.base, 'source'), options: ['bind', 'ro'] },
        { destination: '/etc/resolv.conf', type: 'bind', source: join(bench.base, 'source'), options: ['bind'] },
      ]
      const { stdout, stderr } = await bench.run(['sh', '-c', `cat ${outside}/file /etc/resolv.conf; echo x > ${outside}/file`], { mounts })
      assert.equal(stdout, 'boundbound')
      assert.match(stderr, /Read-only file system/)
      assert.ok(!existsSync(join(outside, 'file')))
      rmSync(join(bench.rootfs, 'etc/resolv.conf'))
    })

    test('refuses an image whose /proc is a link', async () => {
      const rootfs = join(bench.base, 'linked')
      mkdirSync(join(rootfs, 'etc'), { recursive: true })
      symlinkSync('etc', join(rootfs, 'proc'))
      await assert.rejects(bench.runtime.create(bench.launch(['true'], { launch: { rootfs: { directory: rootfs } } })), {
        operation: 'mount',
        code: 'ELOOP',
      })
    })

    test('thrown away before its start leaves nothing', async () => {
      const task = await bench.runtime.create(bench.launch(['true']))
      assert.equal(task.pid, 0)
      await task.delete()
      await eventually(() => assert.equal(bench.processes().length, 1))
    })

    test('with init has its orphans reaped, its signals forwarded, its code kept', async () => {
      const others = 'sleep 0.05; set -- /proc/[0-9]*; [ $# -gt 2 ]'
      const script = `trap "echo got; exit 5" TERM; (sleep 0.01 &) ; while ${others}; do :; done; echo "$# left"; sleep 1000 & wait`
      const spec = bench.launch(['sh', '-c', script], { launch: { init: true } })
      const task = await bench.runtime.create(spec)
      const stream = await task.attach({ stdin: false, stdout: true, stderr: true })
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        // Init and sh: the orphan has been reaped.
        const before = text
        if ((text += chunk.toString()).includes('2 left') && !before.includes('2 left')) void task.kill(15)
      })
      const ended = once(stream, 'end')
      await task.start()
      assert.equal((await task.exited).exitCode, 5)
      await ended
      assert.match(text, /got/)
      await task.delete()
    })

    test('with init hides our program from the inside', async () => {
      const { stdout, stderr } = await bench.run(['sh', '-c', 'readlink /proc/1/exe; cat /proc/1/exe | wc -c'], { launch: { init: true } })
      assert.equal(stdout, '0\n')
      assert.match(stderr, /Permission denied/)
    })

    test('overlay roots keep the lower layer clean', async () => {
      const { base } = bench
      for (const name of ['upper', 'work']) mkdirSync(join(base, 'overlay', name), { recursive: true })
      const overlay = { cwd: base, lower: ['rootfs'], upper: 'overlay/upper', work: 'overlay/work' }
      const { exitCode, stderr } = await bench.run(['sh', '-c', 'echo new > /etc/new; mkdir /made-above'], {
        launch: { rootfs: { overlay } },
      })
      assert.equal(exitCode, 0, stderr)
      assert.equal(readFileSync(join(base, 'overlay/upper/etc/new'), 'utf8'), 'new\n')
      assert.ok(!existsSync(join(base, 'rootfs/etc/new')))
    })

    test('is not disturbed by nonsense on the sockets', async () => {
      const task = await bench.runtime.create(bench.launch(['sleep', '100']))
      await task.start()
      const sockets = [bench.socket, join(bench.base, 'tasks', task.id, 'monitor.sock')]
      const launch = Buffer.from('1000000002000100', 'hex')
      const nonsense = ['', 'x', '00000000ffffffff', 'ffffffff02000100', '0000000002000100'].map((hex) => Buffer.from(hex, 'hex'))
      for (const bytes of [...nonsense, Buffer.concat([launch, randomBytes(16)]), randomBytes(4096)]) {
        for (const path of sockets) {
          const socket = connect(path)
          socket.on('error', () => {})
          socket.end(bytes)
          socket.resume()
          await new Promise((resolve) => socket.once('close', resolve))
        }
      }
      await task.kill(9)
      assert.equal((await task.exited).exitCode, 137)
      await task.delete()
    })

    test('whose monitor is killed dies with it, even after changing its user', async () => {
      for (const setup of [[], ['CAP_SETUID']]) {
        const sets = { bounding: setup, effective: setup, permitted: setup, inheritable: [], ambient: [] }
        const task = await bench.runtime.create(bench.launch(['sleep', '100'], { process: { capabilities: sets } }))
        await task.start()
        const monitor = bench.processes().find(({ title }) => title === `gantry-monitor ${task.id.slice(0, 12)}`)
        assert.ok(monitor)
        process.kill(monitor.pid, 'SIGKILL')
        assert.equal((await task.exited).exitCode, 137)
        await eventually(() => assert.ok(!existsSync(`/proc/${task.pid}`)))
        await task.delete()
      }
    })
  })
})
