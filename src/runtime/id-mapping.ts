import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuntimeSpec } from '#oci'
import { mappingKey, type UserNamespaces } from './compile-mounts.ts'

/** A process in a user namespace of its own that has no mapping yet; disposing ends it. */
type Holder = AsyncDisposable & { pid: number }

/**
 * User namespaces for the mappings that mounts of a specification ask for, one for each; undefined when none does. They are needed until the mounts are
 * made and may then be disposed: a mount keeps its mapping. `make` starts a holder whose files are in the directory it is given, below `stateDir`.
 */
export async function openUserNamespaces(
  { mounts }: Pick<RuntimeSpec, 'mounts'>,
  stateDir: string,
  make: (directory: string) => Promise<Holder>,
): Promise<(AsyncDisposable & { paths: UserNamespaces }) | undefined> {
  const wanted = new Map(mounts.flatMap((mount) => (mappingKey(mount) === '' ? [] : [[mappingKey(mount), mount] as const])))
  if (wanted.size === 0) return undefined
  const paths = new Map<string, string>()
  await using undo = new AsyncDisposableStack()
  for (const [key, { uidMappings, gidMappings }] of wanted) {
    const directory = join(stateDir, `idmap-${paths.size}`)
    mkdirSync(directory, { mode: 0o700 })
    undo.defer(() => rmdirSync(directory))
    const { pid } = undo.use(await make(directory))
    writeFileSync(`/proc/${pid}/uid_map`, mapText(uidMappings))
    writeFileSync(`/proc/${pid}/gid_map`, mapText(gidMappings))
    paths.set(key, `/proc/${pid}/ns/user`)
  }
  const owned = undo.move()
  return { paths, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Ids without a line are shown as the overflow id, and files that they would own cannot be made. An empty map would refuse the mount: all stay then. */
function mapText(mappings: NonNullable<RuntimeSpec['mounts'][number]['uidMappings']> = []): string {
  if (mappings.length === 0) return '0 0 4294967295\n'
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('')
}
