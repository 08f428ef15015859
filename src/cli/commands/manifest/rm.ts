/** `docker manifest rm`: forget manifest lists that were begun on this machine. */
import { fullString } from '#oci'
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { createManifestStore } from '../../manifests/manifest-store.ts'
import { manifestReference } from './manifest-reference.ts'

export const command: Command = defineCommand({
  use: 'rm MANIFEST_LIST [MANIFEST_LIST...]',
  short: 'Delete one or more manifest lists from local storage',
  experimental: true,
  args: atLeast(1),
  flags: {},
  async run(cli, { args }) {
    const store = createManifestStore(cli.configDirectory)
    const failures: string[] = []
    for (const name of args) {
      try {
        const list = fullString(manifestReference(name))
        if (store.list(list) === undefined) failures.push(`No such manifest: ${list}`)
        store.remove(list)
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'))
    return OK
  },
})
