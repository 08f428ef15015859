/** A machine with CDI devices: an engine with a directory of specifications of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '../../harness/index.ts'

export interface Machine extends AsyncDisposable {
  engine: Engine
  /** Of files that specifications speak of. */
  directory: string
  /** Writes `text` as the specification `name`. */
  specify: (name: string, text: string) => void
}

export async function startMachine(): Promise<Machine> {
  await using undo = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'gantry-cdi-'))
  undo.defer(() => rmSync(directory, { recursive: true }))
  const specs = join(directory, 'specs')
  mkdirSync(specs)
  const engine = undo.use(await Engine.start({ flags: ['--cdi-spec-dir', specs] }))
  engine.loadStarter()
  const owned = undo.move()
  return {
    engine,
    directory,
    specify: (name, text) => writeFileSync(join(specs, name), text),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A device with everything: /dev/zero by another name, a node that may be read only, a variable, a file of the host, a group. `hooks`: of the form of the specification. */
export function deviceSpec(kind: string, directory: string, hooks: readonly object[] = []): string {
  writeFileSync(join(directory, 'library'), 'of the vendor\n')
  const edits = {
    env: ['VENDOR=here'],
    deviceNodes: [
      { path: '/dev/vendor/zeroes', hostPath: '/dev/zero' },
      // Of a driver that nobody has: who may open it hears that it is not there.
      { path: '/dev/vendor/none', type: 'c', major: 240, minor: 7, permissions: 'r' },
    ],
    mounts: [{ hostPath: join(directory, 'library'), containerPath: '/usr/lib/vendor/library', options: ['ro', 'rbind', 'rprivate'] }],
    additionalGids: [4242],
    hooks,
  }
  return JSON.stringify({ cdiVersion: '0.7.0', kind, devices: [{ name: 'a', containerEdits: edits }] })
}
