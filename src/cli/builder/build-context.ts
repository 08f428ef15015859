import { statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'

/** What the engine gets to see of the client's disk, and how the frontend is told. */
export interface ContextPlan {
  /** Directories by the names under which the engine asks for them. */
  directories: Record<string, string>
  options: Record<string, string>
  /** Our standard input is the context (an archive, or a Dockerfile) or the Dockerfile. */
  standardInput: 'context' | 'dockerfile' | 'none'
}

/** Archives and Dockerfiles from standard input are offered here. */
export const UPLOAD_URL = 'http://buildkit-session/'

/** How a Dockerfile from standard input is called. */
export const PIPED_DOCKERFILE = 'Dockerfile'

/**
 * `build CONTEXT -f FILE`. The context is a directory, `-`, or the URL of an archive or a repository. Throws Error with Docker's texts for what is not
 * there.
 */
export function planContext(context: string, file: string): ContextPlan {
  if (context === '-') {
    if (file === '-') throw new Error("invalid argument: can't use stdin for both build context and dockerfile")
    // Whether it is an archive the frontend sees from the first bytes.
    return { directories: {}, options: file === '' ? {} : { filename: file }, standardInput: 'context' }
  }
  // As Docker: a directory that is called like a repository is one all the same.
  if (isRemote(context) && !isDirectory(context)) {
    if (file === '-')
      return { directories: {}, options: { context, dockerfilekey: 'dockerfile', filename: PIPED_DOCKERFILE }, standardInput: 'dockerfile' }
    return { directories: {}, options: { context, ...(file === '' ? {} : { filename: file }) }, standardInput: 'none' }
  }
  const root = directoryOf(context)
  if (file === '-') return { directories: { context: root }, options: { filename: PIPED_DOCKERFILE }, standardInput: 'dockerfile' }
  const path = file === '' ? join(root, defaultName(root)) : dockerfilePath(root, file)
  return { directories: { context: root, dockerfile: dirname(path) }, options: { filename: basename(path) }, standardInput: 'none' }
}

/** Directories and locations of `--build-context name=…`. Throws Error with buildx's texts. */
export function planNamedContexts(
  values: readonly string[],
): Pick<ContextPlan, 'directories' | 'options'> & { layouts: Record<string, string> } {
  const plan = { directories: {} as Record<string, string>, options: {} as Record<string, string>, layouts: {} as Record<string, string> }
  for (const text of values) {
    const equals = text.indexOf('=')
    if (equals < 1) throw new Error(`invalid context value: ${text}, expected key=value`)
    const name = text.slice(0, equals).toLowerCase()
    const place = text.slice(equals + 1)
    if (place.startsWith('oci-layout://')) {
      const { path, reference } = layoutPlace(place.slice('oci-layout://'.length))
      plan.layouts[name] = resolve(path)
      plan.options[`context:${name}`] = `oci-layout://${name}${reference}`
    } else if (isRemote(place) || place.startsWith('docker-image://')) plan.options[`context:${name}`] = place
    else {
      plan.directories[name] = directoryOf(place)
      plan.options[`context:${name}`] = `local:${name}`
    }
  }
  return plan
}

/** `path[:tag][@digest]`. */
function layoutPlace(text: string): { path: string; reference: string } {
  const match = /^(?<path>.*?)(?<reference>(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?)$/.exec(text)
  return { path: match?.groups?.['path'] ?? text, reference: match?.groups?.['reference'] ?? '' }
}

/** As Docker tells them from paths. */
export function isRemote(text: string): boolean {
  return /^(https?|git|ssh):\/\//.test(text) || /^git@[^:/]+:/.test(text) || text.startsWith('github.com/')
}

function isDirectory(path: string): boolean {
  return statSync(resolve(path), { throwIfNoEntry: false })?.isDirectory() === true
}

function directoryOf(path: string): string {
  const absolute = resolve(path)
  const found = statSync(absolute, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`unable to prepare context: path ${JSON.stringify(path)} not found`)
  if (!found.isDirectory()) throw new Error(`unable to prepare context: path ${JSON.stringify(path)} is not a directory`)
  return absolute
}

/** Old projects have a `dockerfile`. */
function defaultName(root: string): string {
  const exists = (name: string): boolean => statSync(join(root, name), { throwIfNoEntry: false }) !== undefined
  return !exists('Dockerfile') && exists('dockerfile') ? 'dockerfile' : 'Dockerfile'
}

/** A path is taken as from here; one that is not there, as from the context. */
function dockerfilePath(root: string, file: string): string {
  const here = resolve(file)
  if (statSync(here, { throwIfNoEntry: false }) !== undefined) return here
  const inside = resolve(root, file)
  const isInside = !relative(root, inside).startsWith(`..${sep}`)
  if (isInside && statSync(inside, { throwIfNoEntry: false }) !== undefined) return inside
  throw new Error(`failed to read dockerfile: open ${file}: no such file or directory`)
}
