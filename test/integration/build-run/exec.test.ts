/** Steps that run programs, on the real kernel: their surroundings, how they end, what they leave. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BuildError } from '../../../src/build/build-error.ts'
import { unshared } from '../unshared.ts'
import { createWorld, type World } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

unshared(import.meta.filename, () => {
  suite('a step', () => {
    let world: World
    before(async () => {
      world = await createWorld()
    })
    afterEach(() => eventually(() => world.assertClean()))
    after(() => world[Symbol.asyncDispose]())

    test('leaves what it writes as a layer, and nothing else', async () => {
      const { outputs, stdout, stderr } = await world.run('echo hello; echo no >&2; echo text > /tmp/file; mkdir /a; rm /etc/group')
      assert.deepEqual([stdout, stderr], ['hello\n', 'no\n'])
      assert.deepEqual(world.filesOf(outputs[0]), ['a', 'etc', 'etc/group', 'tmp', 'tmp/file'])
      assert.equal(world.read(outputs[0], 'tmp/file'), 'text\n')
    })

    test('that writes nothing is the layer below', async () => {
      assert.deepEqual((await world.run('true')).outputs, [world.base])
    })

    test('goes on where another has ended', async () => {
      const first = await world.run('echo one > /one')
      const second = await world.run('cat /one; rm /one; echo two > /two', { base: first.outputs[0]! })
      assert.equal(second.stdout, 'one\n')
      assert.deepEqual(world.filesOf(second.outputs[0]), ['one', 'two'])
      const third = await world.run('ls / | grep -E "one|two"', { base: second.outputs[0]! })
      assert.equal(third.stdout, 'two\n')
    })

    test('begins with nothing at all when it has no input', async () => {
      const busybox = await world.layer([{ name: 'busybox', data: readFileSync('/bin/busybox'), mode: 0o755 }])
      const { outputs, stdout } = await world.run('', {
        inputs: [busybox],
        op: {
          args: ['/tool/busybox', 'touch', '/made'],
          mounts: [
            { type: 'bind', target: '/', input: -1, selector: '', readonly: false, output: 0, contentKey: false },
            { type: 'bind', target: '/tool', input: 1, selector: '', readonly: true, output: -1, contentKey: false },
          ],
        },
      })
      assert.equal(stdout, '')
      assert.deepEqual(world.filesOf(outputs[0]), ['made'])
    })

    test('has environment, directory, user, host name and limits that it asks for', async () => {
      const { stdout, outputs } = await world.run(
        'pwd; id; hostname; echo $A $B $C; ulimit -n; cat /proc/sys/kernel/hostname; env | grep -c HOSTNAME; echo $HOME; touch x || echo no',
        {
          op: {
            cwd: '/work/deep',
            user: 'build',
            env: ['PATH=/bin', 'A=a b', 'B=1'],
            proxyEnv: ['B=2', 'C=3'],
            ulimits: [{ name: 'nofile', soft: 100, hard: 200 }],
          },
        },
      )
      const expected = [
        '/work/deep',
        'uid=1000(build) gid=1000(build) groups=1000(build),2000(extra)',
        'buildkitsandbox',
        'a b 1 3',
        '100',
        'buildkitsandbox',
        '0',
        '/home/build',
        'no',
        '',
      ]
      assert.equal(stdout, expected.join('\n'))
      assert.deepEqual(world.filesOf(outputs[0]), ['work', 'work/deep'])
    })

    test('is confined like a container', async () => {
      const { stdout } = await world.run(
        'grep -E "CapBnd|Seccomp:|NoNewPrivs" /proc/self/status; mount -t tmpfs none /tmp 2>&1; cat /proc/kcore 2>&1 | wc -c; touch /proc/sys/x 2>&1; ls /sys/firmware',
      )
      assert.match(stdout, /CapBnd:\t00000000a80425fb\n/)
      assert.match(stdout, /Seccomp:\t2\n/)
      assert.match(stdout, /permission denied|Operation not permitted/i)
    })

    test('with all rights needs to be allowed to have them', async () => {
      const insecure = { op: { security: 'insecure' as const } }
      await assert.rejects(world.run('true', insecure), { code: 'FORBIDDEN', message: 'security.insecure is not allowed' })
      const { stdout } = await world.run('mount -t tmpfs none /tmp && echo mounted', { ...insecure, entitlements: ['security.insecure'] })
      assert.equal(stdout, 'mounted\n')
    })

    test('that fails says so in BuildKit’s words, and leaves nothing', async () => {
      const failure = await world.run('echo before; touch /file; exit 3').catch((error: unknown) => error)
      assert.ok(failure instanceof BuildError)
      assert.equal(failure.message, 'process "/bin/sh -c echo before; touch /file; exit 3" did not complete successfully: exit code: 3')
      assert.equal(failure.step?.exitCode, 3)
      assert.deepEqual(failure.step.inputs, [world.base])
    })

    test('may end with another code that is as good as 0', async () => {
      await world.run('exit 7', { op: { validExitCodes: [7] } })
    })

    test('whose program is not there says so in its log', async () => {
      const made = world.step('', { op: { args: ['/nowhere', 'x'] } })
      await assert.rejects(world.runner.run(made.inputs, made.step), {
        message: 'process "/nowhere x" did not complete successfully: exit code: 1',
      })
      assert.match(made.output.stderr, /exec: "\/nowhere": stat \/nowhere: no such file or directory/)
    })

    test('of a user that is not there fails', async () => {
      await assert.rejects(world.run('true', { op: { user: 'nobody' } }), {
        message: 'process "/bin/sh -c true" did not complete successfully: unable to find user nobody: no matching entries in passwd file',
      })
    })

    test('for a platform that nothing here runs is refused', async () => {
      await assert.rejects(world.run('true', { op: { platform: { os: 'linux', architecture: 's390x' } } }), {
        message: /exec format error: this machine cannot run programs for linux\/s390x/,
      })
    })

    test('that takes too much memory is told so', async () => {
      const limits = {
        memory: 16 << 20,
        memorySwap: 16 << 20,
        cpuShares: 0,
        cpuPeriod: 0,
        cpuQuota: 0,
        cpusetCpus: '',
        cpusetMems: '',
        shmSize: 0,
      }
      await assert.rejects(world.run('dd if=/dev/zero of=/dev/null bs=64M count=1; exit $?', { op: { limits } }), {
        message: /did not complete successfully: cannot allocate memory/,
      })
    })

    test('is below the daemon’s cgroup, whatever parent it asks for', async () => {
      const limits = { memory: 0, memorySwap: 0, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, cpusetCpus: '', cpusetMems: '', shmSize: 1 << 20 }
      let found: string[] = []
      const abort = new AbortController()
      const running = world.run('df -k /dev/shm | grep -o " 1024 " | head -1; sleep 1000', {
        op: { cgroupParent: '/../../outside', limits },
        signal: abort.signal,
        log: (_stream, data) => {
          assert.equal(data.toString(), ' 1024 \n')
          found = globSync(`/sys/fs/cgroup/{,*/}${world.cgroupParent.slice(1)}/outside/*/cgroup.procs`)
          abort.abort(new Error('enough'))
        },
      })
      await assert.rejects(running, { message: 'enough' })
      assert.ok(found.length > 0)
      assert.deepEqual(globSync('/sys/fs/cgroup/{,*/}outside'), [])
    })

    test('that is not wanted any more is killed with all it has started', async () => {
      const abort = new AbortController()
      let output = ''
      let unwanted = 0
      const running = world.run(
        'trap "" TERM INT HUP; (sleep 1000 & sleep 1000 & sleep 1000) & echo started; while true; do sleep 1; done',
        {
          signal: abort.signal,
          log: (_stream, data) => {
            output += Buffer.from(data).toString()
            unwanted = performance.now()
            abort.abort(new Error('enough'))
          },
        },
      )
      await assert.rejects(running, { message: 'enough' })
      assert.equal(output, 'started\n')
      assert.ok(performance.now() - unwanted < 8000, 'the ten seconds that a container has to end are not waited for')
    })

    test('that is not wanted before it has begun does not begin', async () => {
      await assert.rejects(world.run('true', { signal: AbortSignal.abort(new Error('too late')) }), { message: 'too late' })
    })

    test('whose output nobody reads waits, and goes on', async () => {
      let size = 0
      await world.run('yes | head -c 1000000', { log: (_stream, data) => (size += data.length) })
      assert.equal(size, 1_000_000)
    })

    test('has its output clipped', async () => {
      const { stdout } = await world.run('yes | head -c 5000000')
      assert.equal(stdout.length, (2 << 20) + '\n[output clipped, log limit 2MiB reached]\n'.length)
      assert.ok(stdout.endsWith('\n[output clipped, log limit 2MiB reached]\n'))
    })

    test('with a read-only root writes nothing', async () => {
      const root = { type: 'bind' as const, target: '/', input: 0, selector: '', readonly: true, output: -1, contentKey: false }
      const { outputs, stdout } = await world.run('', {
        op: { args: ['/bin/sh', '-c', 'touch /x 2>/dev/null || echo no'], mounts: [root] },
      })
      assert.deepEqual([outputs, stdout], [[], 'no\n'])
    })

    test('over a directory of the client has it as a layer', async () => {
      const path = mkdtempSync(join(tmpdir(), 'gantry-client-'))
      try {
        mkdirSync(join(path, 'bin'))
        writeFileSync(join(path, 'bin/sh'), readFileSync('/bin/busybox'), { mode: 0o755 })
        const made = world.step('echo x > /bin/x')
        const [ref] = await world.runner.run([{ kind: 'directory', path, generation: '1' }], made.step)
        assert.deepEqual(readdirSync(join(path, 'bin')), ['sh'])
        assert.deepEqual(world.filesOf(ref), ['bin', 'bin/x'])
        assert.equal(world.read(ref, 'bin/x'), 'x\n')
      } finally {
        rmSync(path, { recursive: true })
      }
    })

    test('may be one of many at the same time', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, (_, index) => world.run(`sleep 0.1; echo ${index} > /n`)))
      assert.deepEqual(
        all.map(({ outputs }) => world.read(outputs[0], 'n')),
        Array.from({ length: 8 }, (_, index) => `${index}\n`),
      )
    })

    test('takes little time', async () => {
      const times: number[] = []
      for (let round = 0; round < 5; round++) {
        const started = performance.now()
        await world.run('true')
        times.push(performance.now() - started)
        await delay(10)
      }
      // Some milliseconds on a calm machine: nothing waits for a timer.
      assert.ok(Math.min(...times) < 1000, `${Math.min(...times)} ms`)
    })
  })
})
