/** Further processes, held file systems, and what survives the daemon. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Task } from '#runtime'
import { unshared } from '../unshared.ts'
import { Bench, MOUNTS, readAll, readFrames, readLog, SETS } from './bench.ts'
import { eventually } from '../../harness/eventually.ts'

const ALL = { stdin: true, stdout: true, stderr: true }

unshared(import.meta.filename, () => {
  suite('exec', () => {
    const bench = new Bench()
    let task: Task | undefined
    async function container(): Promise<Task> {
      if (task === undefined) {
        task = await bench.runtime.create(bench.launch(['sleep', '1000']))
        await task.start()
      }
      return task
    }
    after(async () => {
      await task?.kill(9)
      await task?.exited
      await task?.delete()
      await bench[Symbol.asyncDispose]()
    })

    test('runs beside the container’s program, in all its namespaces', async () => {
      const target = await container()
      const { stdout, exitCode } = await bench.runExec(target, [
        'sh',
        '-c',
        'cat /proc/1/cmdline | tr "\\0" " "; hostname; ls /proc/self/fd | tr "\\n" " "; exit 4',
      ])
      assert.equal(stdout, 'sleep 1000 bench\n0 1 2 3 ')
      assert.equal(exitCode, 4)
      const inside = await bench.runExec(target, ['sh', '-c', 'for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done'])
      const expected = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((name) => readlinkSync(`/proc/${target.pid}/ns/${name}`))
      assert.deepEqual(inside.stdout.trim().split('\n'), expected)
    })

    test('has user, directory and environment of its own', async () => {
      const { stdout } = await bench.runExec(await container(), ['sh', '-c', 'id -u; pwd; echo $A'], {
        process: { user: { uid: 77, gid: 77 }, cwd: '/tmp', env: ['PATH=/bin', 'A=b c'] },
      })
      assert.equal(stdout, '77\n/tmp\nb c\n')
    })

    test('takes input to its end', async () => {
      const exec = await bench.runtime.exec(bench.exec(await container(), ['wc', '-c'], { stdio: { openStdin: true, stdinOnce: true } }))
      const stream = await exec.attach(ALL)
      await exec.start()
      stream.end(Buffer.alloc(1_000_000))
      assert.equal((await readFrames(stream)).stdout.toString(), '1000000\n')
      assert.equal((await exec.exited).exitCode, 0)
      await exec.delete()
    })

    test('has a terminal of the container', async () => {
      const exec = await bench.runtime.exec(
        bench.exec(await container(), ['sh', '-c', 'tty; stty size'], {
          stdio: { tty: true },
          process: { consoleSize: { height: 5, width: 6 } },
        }),
      )
      const stream = await exec.attach(ALL)
      await exec.start()
      assert.match((await readAll(stream)).toString(), /^\/dev\/pts\/\d+\r\n5 6\r\n$/)
      await exec.exited
      await exec.delete()
    })

    test('that is missing its program or directory fails', async () => {
      const missing = await bench.runtime.exec(bench.exec(await container(), ['nowhere']))
      await assert.rejects(missing.start(), { operation: 'execve', code: 'ENOENT' })
      const lost = await bench.runtime.exec(bench.exec(await container(), ['true'], { process: { cwd: '/nowhere' } }))
      await assert.rejects(lost.start(), { operation: 'chdir', code: 'ENOENT', subject: '/nowhere' })
    })

    test('into a process that is gone fails', async () => {
      const gone = { pid: 4194303 } as Task
      await assert.rejects(bench.runtime.exec(bench.exec(gone, ['true'])), { operation: 'target', code: 'ESRCH' })
    })

    test('never lands in the host', async () => {
      const host = { pid: process.pid } as Task
      const refused = { operation: 'join-target', code: 'ESRCH' }
      await assert.rejects((await bench.runtime.exec(bench.exec(host, ['true']))).start(), refused)
      const late = await bench.runtime.exec(bench.exec(host, ['true']))
      await delay(50) // It has failed by now.
      await assert.rejects(late.startAttached(ALL), refused)
    })

    test('is not to be seen in the container while it waits for its start', async () => {
      const target = await container()
      const waiting = await bench.runtime.exec(bench.exec(target, ['true']))
      const { stdout } = await bench.runExec(target, ['sh', '-c', 'cat /proc/[0-9]*/comm'])
      assert.doesNotMatch(stdout, /gantry/)
      await waiting.delete()
    })

    test('has the pid of its program, not of what waited for the start', async () => {
      const exec = await bench.runtime.exec(bench.exec(await container(), ['sleep', '1000']))
      await exec.start()
      assert.equal(readFileSync(`/proc/${exec.pid}/comm`, 'utf8'), 'sleep\n')
      await exec.kill(9)
      assert.equal((await exec.exited).signal, 9)
      await exec.delete()
    })

    test('shows a copy that cannot be written to who may trace', async () => {
      const all = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE', ...SETS.bounding]
      const sets = { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] }
      const target = await bench.runtime.create(
        bench.launch(['sleep', '1000'], { launch: { init: true }, process: { capabilities: sets } }),
      )
      await target.start()
      const { stdout, stderr } = await bench.runExec(target, ['sh', '-c', 'readlink /proc/1/exe; echo x > /proc/1/exe'], {
        process: { capabilities: sets },
      })
      assert.match(stdout, /memfd:gantry-init/)
      assert.match(stderr, /Text file busy|Operation not permitted/)
      await target.kill(9)
      await target.exited
      await target.delete()
    })

    test('ends although a background child keeps its output open', async () => {
      const started = performance.now()
      const { stdout, exitCode } = await bench.runExec(await container(), ['sh', '-c', 'sleep 30 & echo out'])
      assert.equal(stdout, 'out\n')
      assert.equal(exitCode, 0)
      assert.ok(performance.now() - started < 20_000)
    })

    test('is killed with its container', async () => {
      const target = await bench.runtime.create(bench.launch(['sleep', '1000']))
      await target.start()
      const exec = await bench.runtime.exec(bench.exec(target, ['sleep', '1000']))
      await exec.start()
      await target.kill(9)
      assert.equal((await exec.exited).exitCode, 137)
      await Promise.all([exec.delete(), target.exited.then(() => target.delete())])
    })
  })

  suite('hold', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    test('shows the container’s files with its binds while it lasts', async () => {
      const { base } = bench
      for (const name of ['upper', 'work', 'volume']) mkdirSync(join(base, name))
      writeFileSync(join(base, 'volume/file'), 'of the volume')
      writeFileSync(join(base, 'upper/own'), 'of the container')
      const mounts = [...MOUNTS, { destination: '/data', type: 'bind', source: join(base, 'volume'), options: ['rbind', 'rprivate'] }]
      const spec = bench.launch(['true'], {
        mounts,
        launch: { rootfs: { overlay: { cwd: base, lower: ['rootfs'], upper: 'upper', work: 'work' } } },
      })
      {
        await using held = await bench.runtime.hold(spec)
        const root = `/proc/${held.pid}/root`
        assert.equal(readFileSync(join(root, 'own'), 'utf8'), 'of the container')
        assert.equal(readFileSync(join(root, 'data/file'), 'utf8'), 'of the volume')
        assert.deepEqual(readdirSync(join(root, 'proc')), [])
        writeFileSync(join(root, 'written'), 'x')
      }
      assert.ok(existsSync(join(base, 'upper/written')))
      await eventually(() => assert.equal(bench.processes().length, 1))
    })

    test('fails with the mount that failed', async () => {
      const mounts = [{ destination: '/data', type: 'bind', source: '/nowhere', options: ['rbind'] }]
      await assert.rejects(bench.runtime.hold(bench.launch(['true'], { mounts })), { operation: 'bind', code: 'ENOENT' })
    })
  })

  suite('adopt', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    /** Starts a container from a process of its own and kills that. */
    async function abandoned(args: string[], last: 'create' | 'start' = 'start'): Promise<{ id: string; stateDir: string }> {
      const spec = bench.launch(args)
      const script = `
        import { createRuntime } from '#runtime'
        const runtime = createRuntime(${JSON.stringify({ binary: bench.binary, socket: bench.socket })})
        const task = await runtime.create(${JSON.stringify(spec)})
        ${last === 'start' ? 'await task.start()' : ''}
        console.log('done')
        setTimeout(() => {}, 100000)`
      const daemon = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        cwd: import.meta.dirname,
      })
      await once(daemon.stdout, 'data')
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
      return spec
    }

    test('finds a running task, its output and its end', async () => {
      const { id, stateDir } = await abandoned(['sh', '-c', 'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; sleep 0.01; done; exit 6'])
      const adopted = await bench.newRuntime().adopt(id, stateDir)
      assert.equal(adopted.state, 'running')
      if (adopted.state !== 'running') return
      const { task } = adopted
      assert.ok(existsSync(`/proc/${task.pid}`))
      assert.ok(task.startedAt > Date.now() - 60_000)
      await assert.rejects(task.start(), { code: 'CONFLICT' })
      const stream = await task.attach(ALL)
      await once(stream, 'readable')
      writeFileSync(join(bench.rootfs, 'stop'), '')
      stream.resume()
      assert.equal((await task.exited).exitCode, 6)
      await task.delete()
      const numbers = readLog(join(stateDir, 'log')).map(({ log }) => Number(log))
      numbers.forEach((number, index) => assert.equal(number, index + 1))
    })

    test('finds the exit of a task that ended meanwhile', async () => {
      const { id, stateDir } = await abandoned(['sh', '-c', 'sleep 0.2; exit 8'])
      await eventually(() => assert.ok(existsSync(join(stateDir, 'exit.json'))))
      await eventually(() => assert.equal(bench.processes().length, 1))
      const adopted = await bench.runtime.adopt(id, stateDir)
      assert.equal(adopted.state, 'exited')
      if (adopted.state === 'exited') assert.equal(adopted.exit.exitCode, 8)
    })

    test('says lost of a task that was made but never started, and nothing of it is left', async () => {
      const { id, stateDir } = await abandoned(['true'], 'create')
      assert.deepEqual(await bench.runtime.adopt(id, stateDir), { state: 'lost' })
      await eventually(() => assert.equal(bench.processes().length, 1))
    })

    test('says lost when there is nothing', async () => {
      const { id, stateDir } = bench.state()
      assert.deepEqual(await bench.runtime.adopt(id, stateDir), { state: 'lost' })
    })

    test('the newest daemon has the task', async () => {
      const spec = bench.launch(['sleep', '100'])
      const first = await bench.runtime.create(spec)
      await first.start()
      const adopted = await bench.newRuntime().adopt(spec.id, spec.stateDir)
      assert.ok(adopted.state === 'running')
      await adopted.task.kill(15)
      await adopted.task.kill(9)
      assert.equal((await adopted.task.exited).exitCode, 137)
      await adopted.task.delete()
    })
  })
})
