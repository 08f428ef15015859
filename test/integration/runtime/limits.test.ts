/** Control groups, reserved ports, network, shared namespaces, the seccomp filter; many at once. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, suite, test } from 'node:test'
import {
  compileSeccomp,
  createMounts,
  detectCgroupLayout,
  encodeNewAddress,
  encodeNewRoute,
  encodeNewVeth,
  encodeSetLink,
  MessageWriter,
  openRouteNetlink,
  planCgroup,
  prepareCgroupParent,
} from '#kernel'
import type { ResourcesSpec } from '#oci'
import { createRuntime, LaunchError, type LaunchSpec } from '#runtime'
import { unshared } from '../unshared.ts'
import { Bench, finish, MOUNTS, readAll, readFrames } from './bench.ts'
import { eventually } from '../../harness/eventually.ts'

const PARENT = `/gantry-test-${process.pid}`
const CGROUP_MOUNT = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] }
const PRIVATE = (['pid', 'mount', 'uts', 'ipc', 'network', 'cgroup'] as const).map((type) => ({ type }))

unshared(import.meta.filename, () => {
  suite('control groups', () => {
    const bench = new Bench()
    const layout = detectCgroupLayout()
    prepareCgroupParent(layout, PARENT)
    const parents = new Set<string>()
    after(async () => {
      await bench[Symbol.asyncDispose]()
      for (const directory of parents) if (existsSync(directory)) rmdirSync(directory)
    })

    function withCgroup(args: string[], resources: ResourcesSpec): LaunchSpec {
      const spec = bench.launch(args, { mounts: [...MOUNTS, CGROUP_MOUNT], linux: { namespaces: PRIVATE } })
      const cgroup = planCgroup(layout, { parent: PARENT, id: spec.id, resources })
      for (const directory of cgroup.directories) parents.add(dirname(directory))
      return { ...spec, cgroup }
    }

    test('are joined, seen as root from inside, and removed after the end', async () => {
      const spec = withCgroup(
        ['sh', '-c', 'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max; touch /sys/fs/cgroup/x'],
        { pids: { limit: 77 } },
      )
      const { stdout, stderr } = await finish(await bench.runtime.create(spec))
      const paths = stdout
        .split('\n')
        .filter((line) => /^\d+:/.test(line))
        .map((line) => line.split(':')[2])
      if (spec.cgroup.version === 1) assert.ok(paths.filter((path) => path === '/').length >= spec.cgroup.join.length, stdout)
      assert.match(stdout, /^77$/m)
      assert.match(stderr, /x: Read-only file system/)
      await eventually(() => assert.deepEqual(spec.cgroup.directories.filter(existsSync), []))
    })

    test('tell who was killed for memory', async () => {
      const spec = withCgroup(['sh', '-c', 'a=x; while :; do a=$a$a; done'], { memory: { limit: 32 << 20, swap: 32 << 20 } })
      const task = await bench.runtime.create(spec)
      await task.start()
      const exit = await task.exited
      assert.equal(exit.oomKilled, true)
      assert.equal(exit.exitCode, 137)
      await task.delete()
    })

    test('can be used again at once after delete', async () => {
      const spec = withCgroup(['true'], {})
      for (let round = 0; round < 10; round++) assert.equal((await finish(await bench.runtime.create(spec))).exitCode, 0)
    })

    test('a value that the kernel refuses fails the launch unless it is optional', async () => {
      const spec = withCgroup(['true'], {})
      const write = { path: join(spec.cgroup.directories[0]!, 'cgroup.procs'), value: 'nonsense' }
      await assert.rejects(bench.runtime.create({ ...spec, cgroup: { ...spec.cgroup, writes: [write] } }), {
        operation: 'write-cgroup',
        code: 'EINVAL',
      })
      await eventually(() => assert.deepEqual(spec.cgroup.directories.filter(existsSync), []))
      const optional = { ...spec, cgroup: { ...spec.cgroup, writes: [{ ...write, optional: true }] } }
      assert.equal((await finish(await bench.runtime.create(optional))).exitCode, 0)
    })

    test('an exec joins its container’s', async () => {
      const spec = withCgroup(['sleep', '100'], {})
      const task = await bench.runtime.create(spec)
      await task.start()
      const { join: files, version, into } = spec.cgroup
      const exec = { ...bench.exec(task, ['sleep', '100']), cgroup: { version, join: files, ...(into !== undefined && { into }) } }
      const process = await bench.runtime.exec(exec)
      await process.start()
      assert.equal(readFileSync(`/proc/${process.pid}/cgroup`, 'utf8'), readFileSync(`/proc/${task.pid}/cgroup`, 'utf8'))
      await task.kill(9)
      await Promise.all([task.exited, process.exited])
      await Promise.all([task.delete(), process.delete()])
    })

    test('without a pid namespace the container’s orphans are found by them', async () => {
      const spec = withCgroup(['sh', '-c', 'sleep 1000 & echo $!'], {})
      spec.spec.linux.namespaces = PRIVATE.filter(({ type }) => type !== 'pid')
      const started = performance.now()
      const { stdout, exitCode } = await finish(await bench.runtime.create(spec))
      assert.equal(exitCode, 0)
      assert.ok(performance.now() - started < 20_000)
      await eventually(() => assert.ok(!existsSync(`/proc/${stdout.trim()}`)))
    })

    test('60 containers at once leave nothing behind', async () => {
      const specs = Array.from({ length: 60 }, () => withCgroup(['sh', '-c', 'echo $$; exit 3'], {}))
      const results = await Promise.all(specs.map(async (spec) => finish(await bench.runtime.create(spec))))
      for (const { exitCode, stdout } of results) assert.deepEqual([exitCode, stdout], [3, '1\n'])
      await eventually(() => assert.deepEqual(specs.flatMap(({ cgroup }) => cgroup.directories).filter(existsSync), []))
    })
  })

  suite('network', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    test('gets a link whose other end stays with the host, addresses, routes, sysctls', async () => {
      using netlink = openRouteNetlink()
      const host = new MessageWriter()
      const pidOffset = encodeNewVeth(host, {
        index: 500,
        name: 'gtest0',
        peer: { index: 64, name: 'eth0', mac: '02:00:00:00:00:07', pid: 0 },
        master: 0,
        mtu: 0,
      })
      const inside = new MessageWriter()
      encodeSetLink(inside, { index: 1 }, { up: true })
      encodeNewAddress(inside, { linkIndex: 64, address: Buffer.from([10, 99, 0, 2]), prefixLength: 24 })
      encodeSetLink(inside, { index: 64 }, { up: true })
      encodeNewRoute(inside, { gateway: Buffer.from([10, 99, 0, 1]), outLink: 64 })
      const network = {
        mode: 'new' as const,
        host: [{ bytes: host.finish(), pidOffsets: [pidOffset] }],
        inside: [inside.finish()],
        sysctls: [{ path: '/proc/sys/net/ipv4/conf/eth0/forwarding', value: '1' }],
        reserve: [],
      }
      const script = 'cat /sys/class/net/eth0/address /proc/sys/net/ipv4/conf/eth0/forwarding; echo hello | nc -l -p 7777'
      const task = await bench.runtime.create(bench.launch(['sh', '-c', script], { launch: { network } }))
      const stream = await task.attach({ stdin: false, stdout: true, stderr: true })
      await task.start()
      const outside = new MessageWriter()
      encodeNewAddress(outside, { linkIndex: 500, address: Buffer.from([10, 99, 0, 1]), prefixLength: 24 })
      netlink.send(outside.finish())
      await once(stream, 'readable')
      assert.equal(await greeting('10.99.0.2', 7777), 'hello\n')
      assert.equal((await readFrames(stream)).stdout.toString(), '02:00:00:00:00:07\n1\n')
      await task.exited
      await task.delete()
    })

    test('a message that the kernel refuses fails the launch and leaves no link', async () => {
      const inside = new MessageWriter()
      encodeNewAddress(inside, { linkIndex: 64, address: Buffer.from([10, 99, 0, 2]), prefixLength: 24 })
      const network = { mode: 'new' as const, host: [], inside: [inside.finish()], sysctls: [], reserve: [] }
      await assert.rejects(bench.runtime.create(bench.launch(['true'], { launch: { network } })), { operation: 'netlink', code: 'ENODEV' })
    })

    test('a reserved port is taken while the container lives, and a taken one fails the launch by its name', async () => {
      const network = {
        mode: 'new',
        host: [],
        inside: [],
        sysctls: [],
        reserve: [
          { family: 4, protocol: 'tcp', address: '0.0.0.0', port: 34567 },
          { family: 6, protocol: 'udp', address: '::', port: 34567 },
        ],
      } as const
      const launch = { network: { ...network, host: [], inside: [], sysctls: [], reserve: [...network.reserve] } }
      const task = await bench.runtime.create(bench.launch(['sleep', '100'], { launch }))
      await task.start()
      await assert.rejects(bench.runtime.create(bench.launch(['true'], { launch })), (error) => {
        assert.ok(error instanceof LaunchError)
        assert.deepEqual([error.operation, error.subject, error.code], ['bind-port', '0.0.0.0:34567/tcp', 'EADDRINUSE'])
        return true
      })
      await task.kill(9)
      await task.exited
      await task.delete()
      const server = createServer().listen(34567, '0.0.0.0')
      await new Promise((resolve) => server.once('listening', resolve))
      assert.equal((server.address() as AddressInfo).port, 34567)
      await new Promise((resolve) => server.close(resolve))
    })

    test('can be another container’s, or the host’s', async () => {
      const owner = await bench.runtime.create(bench.launch(['sleep', '100']))
      await owner.start()
      const script = ['sh', '-c', 'readlink /proc/self/ns/net']
      const joined = await bench.run(script, { launch: { network: { mode: 'join', path: `/proc/${owner.pid}/ns/net` } } })
      const { stdout } = await bench.runExec(owner, script)
      assert.equal(joined.stdout, stdout)
      assert.notEqual((await bench.run(script, { launch: { network: { mode: 'host' } } })).stdout, stdout)
      await owner.kill(9)
      await owner.exited
      await owner.delete()
    })

    test('a pid namespace can be another container’s', async () => {
      const owner = await bench.runtime.create(bench.launch(['sleep', '100']))
      await owner.start()
      const namespaces = [
        ...PRIVATE.filter(({ type }) => type !== 'pid' && type !== 'cgroup'),
        { type: 'pid' as const, path: `/proc/${owner.pid}/ns/pid` },
      ]
      const { stdout } = await bench.run(['cat', '/proc/1/cmdline'], { linux: { namespaces } })
      assert.deepEqual(stdout.split('\0'), ['sleep', '100', ''])
      await owner.kill(9)
      await owner.exited
      await owner.delete()
    })
  })

  suite('mounts and filters', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    test('a shared bind propagates both ways, the container’s root does not', async () => {
      const source = join(bench.base, 'shared')
      mkdirSync(join(source, 'inner'), { recursive: true })
      const mounts = createMounts()
      mounts.mount(source, source, '', 4096, '')
      mounts.mount('', source, '', 1 << 20, '')
      const table = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length
      const task = await bench.runtime.create(
        bench.launch(['sh', '-c', 'mount -t tmpfs none /s/inner && touch /s/inner/here; sleep 100'], {
          mounts: [...MOUNTS, { destination: '/s', type: 'bind', source, options: ['rbind', 'rshared'] }],
          linux: { rootfsPropagation: 'shared' },
          process: {
            capabilities: {
              bounding: ['CAP_SYS_ADMIN'],
              effective: ['CAP_SYS_ADMIN'],
              permitted: ['CAP_SYS_ADMIN'],
              inheritable: [],
              ambient: [],
            },
          },
        }),
      )
      await task.start()
      await eventually(() => assert.ok(existsSync(join(source, 'inner/here'))))
      assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length, table + 1)
      await task.kill(9)
      await task.exited
      await task.delete()
      mounts.unmount(join(source, 'inner'), { detach: true })
      mounts.unmount(source, { detach: true })
    })

    test('a read-only bind is read-only, below it only when asked for', async () => {
      const source = join(bench.base, 'tree')
      mkdirSync(join(source, 'below'), { recursive: true })
      const mounts = createMounts()
      mounts.mount('tmpfs', join(source, 'below'), 'tmpfs', 0, '')
      for (const [option, written] of [
        ['ro', '/t/below/x\n'],
        ['rro', ''],
      ] as const) {
        const { stdout } = await bench.run(['sh', '-c', 'for f in /t/x /t/below/x; do touch $f 2>/dev/null && echo $f && rm $f; done'], {
          mounts: [...MOUNTS, { destination: '/t', type: 'bind', source, options: ['rbind', 'rprivate', option] }],
        })
        assert.equal(stdout, written)
      }
      mounts.unmount(join(source, 'below'), { detach: true })
    })

    test('a tmpfs takes over the mode of the directory it covers', async () => {
      mkdirSync(join(bench.rootfs, 'private'), { mode: 0o700 })
      const { stdout } = await bench.run(['stat', '-c', '%a', '/private', '/fresh'], {
        mounts: [
          ...MOUNTS,
          ...['/private', '/fresh'].map((destination) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: ['noexec'] })),
        ],
      })
      assert.equal(stdout, '700\n1777\n')
    })

    test('a seccomp filter is in force, with and without no_new_privs', async () => {
      const seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 121 }],
      }
      const runtime = createRuntime({
        binary: bench.binary,
        socket: bench.socket,
        compileSeccomp: (spec) => compileSeccomp(spec, process.arch === 'arm64' ? 'arm64' : 'x64'),
        warn: () => undefined,
      })
      for (const noNewPrivileges of [true, false]) {
        const spec = bench.launch(['sh', '-c', 'grep Seccomp: /proc/self/status; mkdir /x'], {
          process: { noNewPrivileges },
          linux: { seccomp },
        })
        const { stdout, stderr } = await finish(await runtime.create(spec))
        assert.equal(stdout, 'Seccomp:\t2\n')
        assert.match(stderr, /Remote I\/O error/)
      }
      await runtime.close()
    })

    test('a device node is made with its owner and mode', async () => {
      writeFileSync(join(bench.base, 'unused'), '')
      const device = { type: 'c', path: '/dev/deep/fuse', major: 10, minor: 229, fileMode: 0o640, uid: 5, gid: 6 } as const
      const { stdout } = await bench.run(['stat', '-c', '%F %a %u %g %t %T', '/dev/deep/fuse', '/dev/null'], {
        linux: { devices: [device] },
      })
      assert.equal(stdout, 'character special file 640 5 6 a e5\ncharacter special file 666 0 0 1 3\n')
    })
  })
})

/** What a server says before it closes; it may not listen yet. */
async function greeting(host: string, port: number): Promise<string> {
  const socket = await eventually(async () => {
    const trying = connect(port, host)
    await once(trying, 'connect')
    return trying
  })
  return (await readAll(socket)).toString()
}
