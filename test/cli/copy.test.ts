/** `cp` both ways with a real engine, and the same outcome with the docker CLI. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Engine } from '../harness/index.ts'
import { docker, dockerMissing, gantry, type Outcome } from './program.ts'

const reason = dockerMissing() ?? (process.getuid?.() === 0 ? undefined : 'needs root')

/** Source and target of each copy, in order: later ones find what earlier ones made. `C:` is the container. */
const COPIES: [source: string, target: string, ...flags: string[]][] = [
  ['file', 'C:/tmp/'],
  ['file', 'C:/tmp/renamed'],
  ['file', 'C:/nosuch/x'],
  ['tree', 'C:/tmp/new'],
  ['tree', 'C:/tmp'],
  ['tree/.', 'C:/tmp/content'],
  ['nosuch', 'C:/tmp'],
  ['file', 'nosuch:/tmp'],
  ['tree', 'C:/root', '-a'],
  ['tree/link', 'C:/tmp/link'],
  ['tree/link', 'C:/tmp/followed', '-L'],
  ['file/', 'C:/tmp'],
  ['C:/etc/passwd', 'out'],
  ['C:/etc/passwd', 'out/renamed'],
  ['C:/etc/passwd', 'nosuch/x'],
  ['C:/tmp/new', 'out/tree'],
  ['C:/tmp/new', 'out'],
  ['C:/tmp/new/.', 'content'],
  ['C:/nosuch', '.'],
  ['C:/tmp/new', 'file'],
  ['C:/tmp/new/link', 'out/link'],
  ['C:/tmp/new/link', 'out/followed', '-L'],
]

describe('cp', { skip: reason ?? false }, () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
  })
  after(() => engine[Symbol.asyncDispose]())

  /** What all copies print and leave behind, in a container and a directory of their own. */
  async function story(cp: typeof docker): Promise<string[]> {
    const directory = mkdtempSync(join(tmpdir(), 'cp-'))
    const container = 'copies'
    engine.docker(['run', '-d', '--name', container, 'starter', 'sleep', '1000'])
    try {
      mkdirSync(join(directory, 'tree', 'sub'), { recursive: true })
      mkdirSync(join(directory, 'out'))
      writeFileSync(join(directory, 'file'), 'content')
      writeFileSync(join(directory, 'tree', 'a'), 'a', { mode: 0o640 })
      writeFileSync(join(directory, 'tree', 'sub', 'b'), 'bb')
      symlinkSync('a', join(directory, 'tree', 'link'))
      linkSync(join(directory, 'tree', 'a'), join(directory, 'tree', 'hard'))
      const lines: string[] = []
      const env = { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(directory, 'config') }
      for (const [source, target, ...flags] of COPIES) {
        const paths = [source, target].map((path) => path.replace(/^C:/, `${container}:`))
        const { stdout, stderr, status }: Outcome = await cp(['cp', ...flags, ...paths], { cwd: directory, env })
        // Docker's client logs that it could not finish its tar; that is no message for the user.
        const told = stderr.split('\n').filter((line) => !line.startsWith('time='))
        lines.push(`${source} ${target} ${status} ${stdout}${told.join('\n')}`.replaceAll(directory, '<dir>'))
      }
      const list = "find . -exec ls -ld {} + | awk '{print $1,$3,$4,$5,$9,$10,$11}' | sort -k5"
      lines.push(engine.docker(['exec', container, 'sh', '-c', `cd /tmp && ${list}; cd /root && ${list}`]).stdout)
      lines.push(execFileSync('sh', ['-c', list], { cwd: directory, encoding: 'utf8' }))
      return lines
    } finally {
      engine.docker(['rm', '-f', container])
      rmSync(directory, { recursive: true })
    }
  }

  it('does and says what docker cp does and says', async () => {
    assert.deepEqual(await story(gantry), await story(docker))
  })

  it('streams a tar to standard output and takes one from standard input', async () => {
    engine.docker(['run', '-d', '--name', 'piped', 'starter', 'sleep', '1000'])
    const env = { DOCKER_HOST: `unix://${engine.socket}` }
    const tar = await gantry(['cp', 'piped:/etc/passwd', '-'], { env })
    assert.equal(tar.status, 0)
    assert.match(tar.stdout, /^passwd\0/)
    assert.equal((await gantry(['cp', '-', 'piped:/home'], { env, input: tar.stdout })).status, 0)
    assert.match(engine.docker(['exec', 'piped', 'cat', '/home/passwd']).stdout, /^root:/)
    engine.docker(['rm', '-f', 'piped'])
  })
})
