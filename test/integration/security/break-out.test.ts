/** What a hostile program inside a container tries: each of these was a way out, or a way to harm the host, of some engine once. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Engine, eventually, ROOT } from '../../harness/index.ts'

const SKIP = process.getuid?.() === 0 ? false : 'needs root'

suite('a hostile container', { skip: SKIP }, () => {
  let engine: Engine

  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
  })
  after(() => engine[Symbol.asyncDispose]())

  /** What `script` prints in a container of the defaults, errors included. */
  function inside(script: string, ...options: string[]): string {
    const { stdout, stderr } = engine.docker(['run', '--rm', ...options, 'starter', 'sh', '-c', script])
    return stdout + stderr
  }

  test('cannot change the host’s /dev/null through its stdin, a masked file, or an exec', () => {
    const MODE = 0o666
    const STICKY = 0o1666 // differs, and does no harm should this fail
    const hostMode = (): number => statSync('/dev/null').mode & 0o7777
    assert.equal(hostMode(), MODE)
    try {
      inside(`chmod ${STICKY.toString(8)} /proc/self/fd/0`)
      assert.equal(hostMode(), MODE, 'by stdin')
      assert.match(inside(`chmod ${STICKY.toString(8)} /proc/keys /proc/timer_list`), /Read-only file system/)
      assert.equal(hostMode(), MODE, 'by a masked file')
      engine.mustDocker('run', '-d', '--name', 'null', 'starter', 'sleep', '100')
      engine.docker(['exec', 'null', 'sh', '-c', `chmod ${STICKY.toString(8)} /proc/self/fd/0; rm /dev/null`])
      assert.equal(hostMode(), MODE, 'by the stdin of an exec')
      // Its own is gone now: what it gets must still be at its end, and not the host's.
      assert.equal(engine.mustDocker('exec', 'null', 'sh', '-c', `chmod ${STICKY.toString(8)} /proc/self/fd/0; cat; echo end`), 'end')
      assert.equal(hostMode(), MODE, 'by an exec without a /dev/null to take')
    } finally {
      chmodSync('/dev/null', MODE)
      engine.docker(['rm', '-f', 'null'])
    }
  })

  test('has Docker’s capabilities and a filter, and cannot mount, unshare, or reach devices and kernel settings', () => {
    const status = inside('grep -E "^(CapEff|CapBnd|CapAmb|Seccomp):" /proc/self/status')
    assert.deepEqual(status.trim().split(/\s+/), [
      ...['CapEff:', '00000000a80425fb', 'CapBnd:', '00000000a80425fb', 'CapAmb:', '0000000000000000'],
      ...['Seccomp:', '2'],
    ])
    const tried = {
      disk: 'mknod /tmp/d b 8 0 && head -c 1 /tmp/d',
      memory: 'mknod /tmp/m c 1 1 && head -c 1 /tmp/m',
      mount: 'mount -t tmpfs none /mnt',
      'mount namespace': 'unshare -m true',
      'user namespace': 'unshare -U true',
      'core pattern': 'echo x > /proc/sys/kernel/core_pattern',
      'hostname setting': 'echo x > /proc/sys/kernel/hostname',
      'kernel log': 'dmesg',
      cgroup: 'mkdir /sys/fs/cgroup/*/escape',
      'release agent': 'echo x > $(ls /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/cgroup.procs 2>/dev/null | head -1)',
    }
    const script = Object.entries(tried).map(([name, command]) => `(${command}) >/dev/null 2>&1 && echo "${name}"`)
    assert.equal(inside(`${script.join('; ')}; true`), '')
  })

  test('that replaces a program by a link to whoever executes it gets neither our program nor a hold on the engine', async () => {
    const program = join(ROOT, 'native/init/build/gantry-init')
    const digest = (): string => createHash('sha256').update(readFileSync(program)).digest('hex')
    const original = digest()
    const script = 'printf "#!/proc/self/exe\\n" > /bin/trap; chmod 755 /bin/trap; exec sleep 100'
    engine.mustDocker('run', '-d', '--name', 'trap', 'starter', 'sh', '-c', script)
    await eventually(() => engine.mustDocker('exec', 'trap', 'test', '-x', '/bin/trap'))
    // CVE-2019-5736: the program that runs is ours; it must be the sealed copy, which this tries to overwrite meanwhile.
    const writer = 'for i in $(seq 200); do for p in /proc/[0-9]*; do (echo x > $p/exe) 2>/dev/null && echo written $p; done; done'
    engine.mustDocker('exec', '-d', 'trap', 'sh', '-c', `(${writer}) > /tmp/written`)
    for (let attempt = 0; attempt < 5; attempt++) {
      assert.notEqual(engine.docker(['exec', 'trap', '/bin/trap'], { timeout: 60_000 }).status, 0)
    }
    assert.equal(engine.mustDocker('exec', 'trap', 'cat', '/tmp/written'), '')
    assert.equal(digest(), original)
    engine.mustDocker('rm', '-f', 'trap')
  })

  test('does not start in a directory that the engine has open, nor does an exec', () => {
    engine.mustDocker('run', '-d', '--name', 'descriptors', 'starter', 'sleep', '100')
    // CVE-2024-21626: a descriptor of the host's, left open, is a working directory outside of the container.
    for (let fd = 3; fd < 12; fd++) {
      const directory = `/proc/self/fd/${fd}`
      assert.notEqual(engine.docker(['exec', '-w', directory, 'descriptors', 'true']).status, 0, `exec in ${directory}`)
      assert.notEqual(engine.docker(['run', '--rm', '-w', directory, 'starter', 'true']).status, 0, `run in ${directory}`)
    }
    engine.mustDocker('rm', '-f', 'descriptors')
  })

  test('in the host’s pid namespace leaves no zombies to fill its limit', async () => {
    // More orphans than the limit has room for, each when those before have gone: on a busy machine what reaps them gets its turn late.
    const current = 'f=/sys/fs/cgroup/pids/pids.current; [ -e $f ] || f=/sys/fs/cgroup/pids.current'
    const wait = 'until read n < $f && [ $n -lt 10 ]; do :; done'
    const script = `${current}; for i in $(seq 60); do ${wait}; sh -c "true & exec true"; done; echo through`
    assert.equal(inside(script, '--pid', 'host', '--pids-limit', '30'), 'through\n')
  })

  test('with privileges takes the control groups it made with it', async () => {
    const made = inside('mkdir -p /sys/fs/cgroup/memory/a/b 2>/dev/null || mkdir -p /sys/fs/cgroup/a/b; hostname', '--privileged').trim()
    await eventually(() => assert.deepEqual(globSync(`/sys/fs/cgroup/**/${made}*`), []))
  })

  test('whose watcher never reads holds up neither the engine nor its own removal', async () => {
    const id = engine.mustDocker('run', '-d', 'starter', 'sh', '-c', 'while :; do echo "$0$0$0$0"; done', 'x'.repeat(4000))
    const watcher = connect(engine.socket)
    watcher.on('error', () => {})
    watcher.pause()
    watcher.write(`POST /containers/${id}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`)
    try {
      assert.equal(engine.mustDocker('exec', id, 'echo', 'alive'), 'alive')
      engine.mustDocker('rm', '-f', id)
      await eventually(() => assert.ok(!existsSync(join(engine.execRoot, 'tasks', id))))
    } finally {
      watcher.destroy()
    }
  })
})
