/** `gantry build` as its user has it: results, questions, what fails, and a shell in a step that failed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

/** A directory with these files. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(engine.directory, name)
  mkdirSync(directory, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text)
  return directory
}

function build(
  args: readonly string[],
  options: Parameters<Engine['gantry']>[1] = {},
): { status: number | null; stdout: string; stderr: string } {
  return engine.gantry(['build', ...args], options)
}

test('a build says what it does on standard error, and writes id and metadata to files', () => {
  const directory = project('files', { Dockerfile: 'FROM starter\nRUN echo loud\nLABEL a=b\n' })
  const [iidfile, metadata] = [join(engine.directory, 'iid'), join(engine.directory, 'metadata')]
  const built = build(['-t', 'files:1', '-t', 'files:2', '--iidfile', iidfile, '--metadata-file', metadata, directory])
  assert.deepEqual([built.status, built.stdout], [0, ''], built.stderr)
  assert.match(built.stderr, /^#\d+ \[2\/2\] RUN echo loud\n#\d+ \d+\.\d{3} loud\n#\d+ DONE \d+\.\ds$/m)
  const id = engine.mustDocker('image', 'inspect', '-f', '{{.Id}}', 'files:2')
  assert.equal(readFileSync(iidfile, 'utf8'), id)
  const written = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>
  assert.equal(written['containerimage.config.digest'], id)
  assert.equal(written['image.name'], 'docker.io/library/files:1,docker.io/library/files:2')
  const quiet = build(['-q', directory])
  assert.deepEqual([quiet.stdout, quiet.stderr], [`${id}\n`, ''])
})

test('a Dockerfile, or a whole context, comes by standard input', () => {
  const directory = project('piped', { used: 'from the context\n' })
  const dockerfile = 'FROM starter\nCOPY used /used\nCMD ["cat", "/used"]\n'
  assert.equal(build(['-t', 'piped', '-f', '-', directory], { input: dockerfile }).status, 0)
  assert.equal(engine.mustDocker('run', '--rm', 'piped'), 'from the context')
  assert.equal(build(['-t', 'alone', '-'], { input: 'FROM starter\nCMD ["echo", "alone"]\n' }).status, 0)
  assert.equal(engine.mustDocker('run', '--rm', 'alone'), 'alone')
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  const archive = spawnSync('tar', ['-C', directory, '-c', '.'], { encoding: 'latin1' })
  assert.equal(build(['-t', 'archive', '-'], { input: archive.stdout }).status, 0)
  assert.equal(engine.mustDocker('run', '--rm', 'archive'), 'from the context')
})

test('a directory may be called anything', () => {
  const directory = project('one\ntwo ü', { Dockerfile: 'FROM starter\nCOPY fü /\n', fü: '' })
  const { status, stderr } = build([directory])
  assert.equal(status, 0, stderr)
})

test('results go where -o says', () => {
  const directory = project('output', {
    Dockerfile: 'FROM starter AS made\nRUN echo made > /file\nFROM scratch\nCOPY --from=made /file /\n',
  })
  const out = join(engine.directory, 'out')
  assert.equal(build(['-o', out, directory]).status, 0)
  assert.equal(readFileSync(join(out, 'file'), 'utf8'), 'made\n')
  const archive = join(engine.directory, 'out.tar')
  assert.equal(build(['-o', `type=tar,dest=${archive}`, directory]).status, 0)
  assert.match(spawnSync('tar', ['-tf', archive], { encoding: 'utf8' }).stdout, /^file$/m)
  const piped = build(['-o', 'type=tar', directory])
  assert.match(spawnSync('tar', ['-tf', '-'], { input: piped.stdout, encoding: 'utf8' }).stdout, /^file$/m)
  const saved = join(engine.directory, 'image.tar')
  assert.equal(build(['-o', `type=oci,dest=${saved}`, '-t', 'saved:1', directory]).status, 0)
  assert.match(engine.mustDocker('load', '-i', saved), /saved:1/)
})

test('a local cache is written and read through the client', () => {
  const directory = project('cached', { Dockerfile: 'FROM starter\nRUN cat /proc/sys/kernel/random/uuid > /id\nCMD ["cat", "/id"]\n' })
  const cache = join(engine.directory, 'cache')
  assert.equal(build(['-t', 'cached', '--cache-to', `type=local,dest=${cache},mode=max`, directory]).status, 0)
  const first = engine.mustDocker('run', '--rm', 'cached')
  engine.mustDocker('rmi', 'cached')
  engine.mustDocker('builder', 'prune', '-af')
  const again = build(['-t', 'cached', '--cache-from', `type=local,src=${cache}`, directory])
  assert.equal(again.status, 0, again.stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'cached'), first)
})

test('questions about a Dockerfile are answered without building', () => {
  const directory = project('asked', { Dockerfile: 'FROM starter AS Base\nARG VERSION=1\nRUN exit 1\nFROM base AS second\n' })
  const targets = build(['--call', 'targets', directory])
  assert.match(targets.stdout, /Base|base/)
  assert.match(targets.stdout, /second/)
  assert.match(build(['--call', 'outline', '--target', 'base', directory]).stdout, /VERSION/)
  const check = build(['--check', directory])
  assert.equal(check.status, 1)
  assert.match(check.stdout, /StageNameCasing/)
  const broken = build(['--check', project('broken', { Dockerfile: 'FROM starter\nNOPE\n' })])
  assert.deepEqual([broken.status, broken.stdout], [1, ''])
  assert.match(broken.stderr, /Dockerfile:2\n[^]*unknown instruction: NOPE/)
  const json = JSON.parse(build(['--call', 'targets,format=json', directory]).stdout) as { targets: unknown[] }
  assert.equal(json.targets.length, 2)
  const clean = project('clean', { Dockerfile: 'FROM starter\n' })
  assert.deepEqual([build(['--check', clean]).status, build(['--check', clean]).stdout], [0, 'Check complete, no warnings found.\n'])
  assert.match(build(['--call', 'moon', clean]).stderr, /invalid value for --call/)
})

test('what fails is shown with its place, and a file of before does not pass for a result', () => {
  const iidfile = join(engine.directory, 'stale')
  writeFileSync(iidfile, 'old')
  const directory = project('failing', { Dockerfile: 'FROM starter\nRUN echo before && \\\n  exit 3\nRUN true\n' })
  const failed = build(['--iidfile', iidfile, directory])
  assert.equal(failed.status, 1)
  assert.match(failed.stderr, / > \[2\/3\] RUN echo before && {3}exit 3:\n\d+\.\d before\n/)
  assert.match(failed.stderr, /Dockerfile:2\n-+\n.*\n {3}2 \| >>> RUN echo before/)
  assert.match(
    failed.stderr,
    /^ERROR: failed to solve: process "\/bin\/sh -c echo before && {3}exit 3" did not complete successfully: exit code: 3$/m,
  )
  assert.equal(existsSync(iidfile), false)
  for (const [dockerfile, message] of [
    ['FROM starter\nFOO bar\n', /dockerfile parse error on line 2: unknown instruction: FOO/],
    ['FROM starter\nCOPY missing /\n', /"\/missing": not found/],
    ['FROM nowhere.invalid/x\n', /nowhere\.invalid\/x/],
    ['FROM starter\nRUN --mount=type=moon true\n', /moon/],
  ] as const) {
    const bad = build([project('bad', { Dockerfile: dockerfile })])
    assert.equal(bad.status, 1)
    assert.match(bad.stderr, message)
  }
})

test('a build that the daemon does not allow says what it is', () => {
  const directory = project('refused', { Dockerfile: 'FROM starter\n' })
  assert.match(
    build(['--allow', 'security.insecure', directory]).stderr,
    /granting entitlement security.insecure is not allowed by build daemon/,
  )
})

test('--debug opens a shell in the state just before the step that fails', () => {
  const directory = project('debugged', {
    Dockerfile: `FROM starter
ENV COLOUR=green
WORKDIR /work
RUN echo kept > kept
RUN --mount=type=tmpfs,target=/scratch touch /half && touch half && exit 7
`,
  })
  const script =
    'pwd; cat kept; echo $COLOUR; ls -d /half half 2>/dev/null | wc -l; test -d /scratch && echo mounted; echo err >&2; exit 4\n'
  const { status, stdout, stderr } = build(['--debug', directory], { input: script })
  assert.equal(stdout, '/work\nkept\ngreen\n0\nmounted\n', stderr)
  assert.match(stderr, /^err$/m)
  assert.match(stderr, /exit code: 7/)
  assert.equal(status, 1)
})

test('a build on a user-defined network reaches its containers by name', async () => {
  engine.mustDocker('network', 'create', 'builders')
  const server = engine.mustDocker(
    'run',
    '-d',
    '--network',
    'builders',
    '--name',
    'mirror',
    'starter',
    'sh',
    '-c',
    'echo from the mirror > /index.html; httpd -f -h /',
  )
  await eventually(() => engine.mustDocker('exec', server, 'wget', '-qO', '/dev/null', 'http://127.0.0.1/index.html'))
  const directory = project('networked', { Dockerfile: 'FROM starter\nRUN wget -qO /got http://mirror/index.html\nCMD ["cat", "/got"]\n' })
  const built = build(['-t', 'networked', '--network', 'builders', directory])
  assert.equal(built.status, 0, built.stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'networked'), 'from the mirror')
  engine.mustDocker('rm', '-f', server)
  engine.mustDocker('network', 'rm', 'builders')
})

test('host-gateway is an address that the engine knows, whichever way a build comes', () => {
  const directory = project('hosts', { Dockerfile: 'FROM starter\nRUN grep gate /etc/hosts\n' })
  const hosts = ['--add-host', 'gate:host-gateway', '--add-host', 'six:[fd00::1]', '--no-cache', directory]
  assert.match(build(hosts).stderr, /^#\d+ \d+\.\d{3} 172\.17\.0\.1\tgate$/m)
  assert.match(engine.docker(['build', ...hosts], { env: { DOCKER_BUILDKIT: '0' } }).stdout, /^172\.17\.0\.1\tgate$/m)
})

test('a policy denies and replaces sources, for gantry build as for buildx', () => {
  const directory = project('judged', { Dockerfile: 'FROM starter AS base\nFROM base\nRUN true\n' })
  const policy = join(engine.directory, 'policy.json')
  const env = { EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policy }
  const rules = (...list: object[]): void => writeFileSync(policy, JSON.stringify({ version: 1, rules: list }))
  const starter = 'docker-image://docker.io/library/starter:*'
  rules({ action: 'DENY', selector: { identifier: starter } })
  const text =
    'starter: could not resolve image due to policy: source "docker-image://docker.io/library/starter:latest" denied by policy: source denied by policy'
  assert.ok(build([directory], { env }).stderr.endsWith(`ERROR: failed to solve: ${text}\n`))
  rules({ action: 'CONVERT', selector: { identifier: starter }, updates: { identifier: 'docker-image://docker.io/library/other:${1}' } })
  engine.mustDocker('tag', 'starter', 'other')
  assert.equal(build([directory], { env }).status, 0)
  engine.mustDocker('rmi', 'other')
  rules({ action: 'DENY', selector: { identifier: 'local://context' } })
  const copied = project('copied', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: '' })
  assert.match(build([copied], { env }).stderr, /error evaluating the source policy: source "local:\/\/context" denied by policy/)
})

test('files of a result take the place of what was there when asked to', () => {
  const directory = project('replaced', { Dockerfile: 'FROM scratch\nCOPY new /\n', new: 'new' })
  const out = project('replaced/out', { old: 'old' })
  const output = `type=local,dest=${out},mode=delete`
  assert.match(build(['-o', output, directory]).stderr, /is not below the working directory, needs --allow buildx\.local\.delete/)
  assert.ok(existsSync(join(out, 'old')))
  assert.equal(build(['-o', output, '--allow', 'buildx.local.delete', directory]).status, 0)
  assert.deepEqual([existsSync(join(out, 'old')), readFileSync(join(out, 'new'), 'utf8')], [false, 'new'])
})

test('limits of steps are theirs', () => {
  const directory = project('limited', {
    Dockerfile:
      'FROM starter\nRUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null | head -1 > /limit\nCMD ["cat", "/limit"]\n',
  })
  assert.equal(build(['-t', 'limited', '-m', '64m', '--no-cache', directory]).status, 0)
  assert.equal(engine.mustDocker('run', '--rm', 'limited'), String(64 * 1024 * 1024))
})
