/**
 * Manifest lists under construction, in the files of Docker's CLI, so that either program can go on where the other stopped:
 * `<config directory>/manifests/<list>/<image>`, names with `-` for `:` and `_` for `/`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestText, parseManifestText, type LocalManifest } from './image-manifest.ts'

/** References are full strings: `docker.io/library/alpine:3`. */
export interface ManifestStore {
  /** Undefined: there is no such image in the list, or no such list. */
  get(list: string, image: string): LocalManifest | undefined
  /** In the order of their names; undefined: there is no such list. */
  list(list: string): LocalManifest[] | undefined
  save(list: string, image: string, manifest: LocalManifest): void
  /** Absent is fine. */
  remove(list: string): void
}

export function createManifestStore(configDirectory: string): ManifestStore {
  const directory = (list: string): string => join(configDirectory, 'manifests', fileName(list))

  function read(path: string): LocalManifest | undefined {
    const text = unlessMissing(() => readFileSync(path, 'utf8'))
    return text === undefined ? undefined : parseManifestText(text, path)
  }

  return {
    get: (list, image) => read(join(directory(list), fileName(image))),
    list(list) {
      const names = unlessMissing(() => readdirSync(directory(list)))
      return names?.toSorted().flatMap((name) => read(join(directory(list), name)) ?? [])
    },
    save(list, image, manifest) {
      mkdirSync(directory(list), { recursive: true, mode: 0o755 })
      writeFileSync(join(directory(list), fileName(image)), manifestText(manifest), { mode: 0o644 })
    },
    remove: (list) => rmSync(directory(list), { recursive: true, force: true }),
  }
}

/** A reference has no other character that a file system minds. */
function fileName(reference: string): string {
  return reference.replaceAll(':', '-').replaceAll('/', '_')
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
