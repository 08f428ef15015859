/** Mounts of steps: what they show, what they keep, and that the step's layer does not tell of them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import type { BindMount, CacheMount, Mount } from '../../../src/build/graph/types.ts'
import { unshared } from '../unshared.ts'
import { createWorld, type World } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

function bind(target: string, input: number, changes: Partial<BindMount> = {}): BindMount {
  return { type: 'bind', target, input, selector: '', readonly: true, output: -1, contentKey: true, ...changes }
}

function cache(target: string, changes: Partial<CacheMount> = {}): CacheMount {
  return {
    type: 'cache',
    target,
    id: target,
    sharing: 'shared',
    readonly: false,
    input: -1,
    selector: '',
    mode: 0o755,
    uid: 0,
    gid: 0,
    ...changes,
  }
}

const LOOK = 'stat -c "%a %Y" /data; cat /data/old'

unshared(import.meta.filename, () => {
  let world: World
  let sent: string
  before(async () => {
    world = await createWorld()
    sent = mkdtempSync(join(tmpdir(), 'gantry-sent-'))
    mkdirSync(join(sent, 'src'))
    writeFileSync(join(sent, 'src/main.c'), 'int main;')
    symlinkSync('/etc/passwd', join(sent, 'evil'))
    symlinkSync('../../../../..', join(sent, 'up'))
  })
  afterEach(() => eventually(() => world.assertClean()))
  after(async () => {
    await world[Symbol.asyncDispose]()
    rmSync(sent, { recursive: true })
  })
  const directory = (): { kind: 'directory'; path: string; generation: string } => ({ kind: 'directory', path: sent, generation: '1' })

  suite('a bind mount', () => {
    test('shows a file system without leaving its mount point', async () => {
      const other = await world.layer([{ name: 'a/b', data: Buffer.from('text') }])
      const { stdout, outputs } = await world.run('cat /mnt/deep/a/b; touch /mnt/deep/x 2>&1 | grep -o Read-only', {
        inputs: [other],
        mounts: [bind('/mnt/deep', 1)],
      })
      assert.equal(stdout, 'textRead-only\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('shows what lies at a path inside, a file too', async () => {
      const other = await world.layer([
        { name: 'dir/', type: 'directory', mode: 0o755 },
        { name: 'dir/file', data: Buffer.from('text') },
      ])
      const { stdout, outputs } = await world.run('cat /opt/file; ls /opt/dir', {
        inputs: [other],
        mounts: [bind('/opt/file', 1, { selector: '/dir/file' }), bind('/opt/dir', 1, { selector: 'dir' })],
      })
      assert.equal(stdout, 'textfile\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('shows what the client has sent, and keeps nothing that is written to it', async () => {
      const { stdout, outputs } = await world.run(
        'cat src/main.c; echo x > /ctx/src/main.c; rm /rw/src/main.c; echo new > /rw/new; ls /rw',
        {
          inputs: [directory()],
          op: { cwd: '/ctx' },
          mounts: [bind('.', 1), bind('/rw', 1, { readonly: false })],
        },
      )
      assert.equal(stdout, 'int main;evil\nnew\nsrc\nup\n')
      assert.deepEqual(readdirSync(sent).sort(), ['evil', 'src', 'up'])
      assert.equal(readFileSync(join(sent, 'src/main.c'), 'utf8'), 'int main;')
      assert.deepEqual(outputs, [world.base])
    })

    test('does not lead out of what the client has sent', async () => {
      for (const selector of ['evil', 'up/etc/hostname', '../../etc/passwd']) {
        const made = world.step('cat /file', { inputs: [directory()], mounts: [bind('/file', 1, { selector })] })
        await assert.rejects(world.runner.run([...made.inputs], made.step), /did not complete successfully/)
        assert.match(made.output.stderr, /no such file or directory/)
      }
    })

    test('drops what is written over layers, or keeps it as an output of its own', async () => {
      const other = await world.layer([{ name: 'file', data: Buffer.from('old') }])
      const { outputs } = await world.run('echo new > /a/file; echo new > /b/file; echo new > /c/file; mkdir /root/x', {
        inputs: [other],
        mounts: [
          bind('/a', 1, { readonly: false }),
          bind('/b', 1, { readonly: false, output: 2 }),
          bind('/c', -1, { readonly: false, output: 1 }),
        ],
      })
      assert.equal(outputs.length, 3)
      assert.deepEqual(world.filesOf(outputs[0]), ['root', 'root/x'])
      assert.deepEqual(world.filesOf(outputs[1]), ['file'])
      assert.equal(world.read(outputs[2], 'file'), 'new\n')
      assert.equal(world.read(other, 'file'), 'old')
    })

    test('that is only read gives back what came in', async () => {
      const other = await world.layer([{ name: 'file', data: Buffer.from('old') }])
      const { outputs } = await world.run('true', { inputs: [other], mounts: [bind('/b', 1, { output: 1 })] })
      assert.deepEqual(outputs, [world.base, other])
    })

    test('below another mount, over a link, and over what is there already', async () => {
      const other = await world.layer([{ name: 'inner/file', data: Buffer.from('text') }])
      const { stdout, outputs } = await world.run('cat /a/inner/file /var/run/x/inner/file /tmp/inner/file; ls -d /run/x', {
        inputs: [other],
        mounts: [bind('/tmp', 1), bind('/a', -1, { readonly: false }), bind('/a/inner', 1, { selector: 'inner' }), bind('/var/run/x', 1)],
      })
      assert.equal(stdout, 'texttexttext/run/x\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('leaves directories around its mount point as they were, unless the step writes there', async () => {
      const base = await world.layer([
        { name: 'bin/', type: 'directory', mode: 0o755 },
        { name: 'bin/sh', data: readFileSync('/bin/busybox'), mode: 0o755 },
        { name: 'data/', type: 'directory', mode: 0o711 },
        { name: 'data/old', data: Buffer.from('old') },
      ])
      const inputs = [await world.layer([{ name: 'file', data: Buffer.from('text') }])]
      const wanted = { base, inputs, mounts: [bind('/data/mnt/file', 1, { selector: 'file' })] }
      const before = (await world.run(LOOK, { base })).stdout
      assert.match(before, /^711 \d+\nold$/)
      assert.equal((await world.run(LOOK, wanted)).stdout, before)
      const { outputs } = await world.run('echo new > /data/new; echo beside > /data/mnt/beside', wanted)
      assert.deepEqual(world.filesOf(outputs[0]), ['data', 'data/mnt', 'data/mnt/beside', 'data/new'])
    })
  })

  suite('a tmpfs mount', () => {
    test('is empty, as large as it says, and gone afterwards', async () => {
      const mount: Mount = { type: 'tmpfs', target: '/scratch', size: 1 << 20 }
      const { stdout, outputs } = await world.run('dd if=/dev/zero of=/scratch/x bs=1M count=3 2>/dev/null || stat -c %s /scratch/x', {
        mounts: [mount],
      })
      assert.equal(stdout, '1048576\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('is for every user, unless it covers a directory that is not', async () => {
      const mounts: Mount[] = ['/scratch', '/root'].map((target) => ({ type: 'tmpfs', target, size: 0 }))
      const { stdout } = await world.run('stat -c %a /scratch /root; touch /scratch/x && echo written', { mounts, op: { user: '1000' } })
      assert.match(stdout, /^1777\n7[0-5]{2}\nwritten\n$/)
    })
  })

  suite('a cache mount', () => {
    test('keeps what steps write to it, and the layer knows nothing of it', async () => {
      const { outputs } = await world.run('echo one >> /root/.cache/log', { mounts: [cache('/root/.cache')] })
      assert.deepEqual(outputs, [world.base])
      const { stdout } = await world.run('echo two >> /c/log; cat /c/log', { mounts: [cache('/c', { id: '/root/.cache' })] })
      assert.equal(stdout, 'one\ntwo\n')
      const { stdout: read } = await world.run('cat /c/log; touch /c/x 2>&1 | grep -o Read-only', {
        mounts: [cache('/c', { id: '/root/.cache', readonly: true })],
      })
      assert.equal(read, 'one\ntwo\nRead-only\n')
    })

    test('belongs to whom it says, and is another one for another owner', async () => {
      const owned = { id: 'owned', uid: 1000, gid: 1000, mode: 0o750 }
      const { stdout } = await world.run('stat -c "%u:%g %a" /c; touch /c/x; ls -n /c | wc -l', {
        op: { user: 'build' },
        mounts: [cache('/c', owned)],
      })
      assert.equal(stdout, '1000:1000 750\n2\n')
      assert.equal((await world.run('ls /c', { mounts: [cache('/c', { id: 'owned' })] })).stdout, '')
    })

    test('begins with a copy of what it is given', async () => {
      const other = await world.layer([
        { name: 'start/', type: 'directory', mode: 0o700 },
        { name: 'start/file', data: Buffer.from('first') },
      ])
      const mounts = [cache('/c', { id: 'filled', input: 1, selector: '/start' })]
      const first = await world.run('stat -c %a /c; cat /c/file; echo second > /c/file', { inputs: [other], mounts })
      assert.equal(first.stdout, '700\nfirst')
      assert.equal((await world.run('cat /c/file', { inputs: [other], mounts })).stdout, 'second\n')
      assert.equal(world.read(other, 'start/file'), 'first')
    })

    test('is had by one step at a time when it is locked', async () => {
      const mounts = [cache('/c', { id: 'locked', sharing: 'locked' })]
      const script = 'test -e /c/busy && echo clash; touch /c/busy; sleep 0.1; rm /c/busy'
      const all = await Promise.all([1, 2, 3].map(() => world.run(script, { mounts })))
      assert.deepEqual(
        all.map(({ stdout }) => stdout),
        ['', '', ''],
      )
      assert.equal((await world.deps.cacheMounts.list()).filter(({ description }) => description.includes('"locked"')).length, 1)
    })

    test('is shared by steps at the same time, or each has one of its own', async () => {
      // Each has left its file before it waits for the other one, at a place that they share, and looks for the other's then.
      const meet = (mine: string, other: string): string =>
        `touch /c/${mine} /meet/${mine}; until test -e /meet/${other}; do sleep 0.05; done; test -e /c/${other} && echo met || echo alone`
      const both = async (mount: CacheMount): Promise<string[]> => {
        const mounts = [mount, cache('/meet', { id: `meet for ${mount.id}` })]
        const ran = await Promise.all(
          [['a', 'b'] as const, ['b', 'a'] as const].map(([mine, other]) => world.run(meet(mine, other), { mounts })),
        )
        return ran.map(({ stdout }) => stdout)
      }
      assert.deepEqual(await both(cache('/c', { id: 'both' })), ['met\n', 'met\n'])
      assert.deepEqual(await both(cache('/c', { id: 'alone', sharing: 'private' })), ['alone\n', 'alone\n'])
    })

    test('may be had twice by one step, however it is shared', async () => {
      const twice = [cache('/a', { id: 'twice', sharing: 'locked' }), cache('/b', { id: 'twice', sharing: 'locked' })]
      assert.equal((await world.run('echo x > /a/file; cat /b/file', { mounts: twice })).stdout, 'x\n')
    })

    test('that is waited for in vain is given up', async () => {
      const mounts = [cache('/c', { id: 'waited', sharing: 'locked' })]
      const [abort, end] = [new AbortController(), new AbortController()]
      const { promise: held, resolve } = Promise.withResolvers<void>()
      const holder = assert.rejects(world.run('echo held; sleep 1000', { mounts, signal: end.signal, log: () => resolve() }))
      await held
      const waiter = world.run('true', { mounts, signal: abort.signal })
      setTimeout(() => abort.abort(new Error('enough')), 100)
      await assert.rejects(waiter, { message: 'enough' })
      end.abort()
      await holder
      await world.run('true', { mounts })
    })

    test('is listed with its size, and deleted unless a step has it', async () => {
      const mounts = [cache('/c', { id: 'large' })]
      const { cacheMounts } = world.deps
      const find = async (): Promise<Awaited<ReturnType<typeof cacheMounts.list>>[number] | undefined> =>
        (await cacheMounts.list()).find(({ description }) => description.includes('"large"'))
      const abort = new AbortController()
      const { promise: written, resolve } = Promise.withResolvers<void>()
      const script = 'dd if=/dev/zero of=/c/file bs=1M count=1 2>/dev/null; echo written; sleep 1000'
      const running = assert.rejects(world.run(script, { mounts, signal: abort.signal, log: () => resolve() }))
      await written
      const during = await find()
      assert.equal(during?.inUse, true)
      assert.throws(() => cacheMounts.remove(during.id), { code: 'CONFLICT' })
      abort.abort()
      await running
      const record = await find()
      assert.ok(record !== undefined && record.size >= 1 << 20 && !record.inUse && record.mutable && record.type === 'exec.cachemount')
      assert.match(record.description, /^cached mount \/c from exec \/bin\/sh -c dd .* with id "large"$/)
      cacheMounts.remove(record.id)
      assert.throws(() => cacheMounts.remove(record.id), { code: 'NOT_FOUND' })
      await cacheMounts.settled()
      assert.equal((await world.run('ls /c', { mounts })).stdout, '')
    })
  })
})
