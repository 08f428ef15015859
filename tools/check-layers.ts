/**
 * Checks the direction of imports between the modules of `src/` against the layer table, and that each module is entered by its one door.
 * Usage: `node tools/check-layers.ts` (exit 1 and a line per broken edge), `node tools/check-layers.ts --graph` (the module graph as Markdown).
 * The table is repeated in ARCHITECTURE.md for people; this one is the law.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const ALL_LAYERS = [
  'lib',
  'errors',
  'oci',
  'dockerfile',
  'kernel',
  'archive',
  'metadata',
  'content',
  'snapshots',
  'remotes',
  'events',
  'logs',
  'images',
  'runtime',
  'networks',
  'volumes',
  'cdi',
  'containers',
  'build',
  'fsck',
] as const

/** Layer 0 upwards; a module may import everything below its own layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['lib', 'errors'],
  ['oci', 'dockerfile'],
  ['kernel', 'archive', 'metadata'],
  ['content', 'snapshots', 'remotes', 'events', 'logs'],
  ['images', 'runtime', 'networks', 'volumes', 'cdi'],
  ['containers', 'fsck'],
  ['build'],
]

/** Content before snapshots: a layer is unpacked from a blob. The one allowed step sideways. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = { snapshots: ['content'] }

const EDGES: Readonly<Record<string, { values: readonly string[]; types?: readonly string[] }>> = {
  api: { values: ['lib'] },
  grpc: { values: ['errors', 'lib'] },
  buildkit: { values: ['grpc', 'archive', 'oci', 'errors', 'lib'], types: ALL_LAYERS },
  client: { values: ['api', 'grpc', 'oci', 'errors', 'lib'] },
  server: { values: ['api', 'oci', 'errors', 'lib'], types: ALL_LAYERS },
  cli: { values: ['client', 'api', 'grpc', 'dockerfile', 'oci', 'archive', 'remotes', 'errors', 'lib'] },
  registry: { values: ['remotes', 'oci', 'errors', 'lib'] },
  daemon: { values: [...ALL_LAYERS, 'api', 'server', 'buildkit', 'registry'] },
}

const BUILTIN_OWNERS: Readonly<Record<string, string>> = { 'node:ffi': 'kernel', 'node:sqlite': 'metadata' }

function allowed(from: string, typeOnly: boolean): readonly string[] {
  const edge = EDGES[from]
  if (edge) return typeOnly ? [...edge.values, ...(edge.types ?? [])] : edge.values
  const layer = LAYERS.findIndex((names) => names.includes(from))
  return [...LAYERS.slice(0, layer).flat(), ...(SIDEWAYS[from] ?? [])]
}

/** Fakes and tests may use the values of what their module knows the types of: they stand in for it. */
function isTest(name: string): boolean {
  return name.endsWith('.test.ts') || name.includes('/testing/')
}

const source = resolve(import.meta.dirname, '../src')
const problems: string[] = []
const graph = new Map<string, Set<string>>()

for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
  const path = join(entry.parentPath, entry.name)
  const name = relative(source, path)
  const module = name.includes('/') ? (name.split('/')[0] ?? '') : 'main'
  const text = readFileSync(path, 'utf8')
  const imports = text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm)
  for (const [, type, fixed, lazy] of imports) {
    const target = fixed ?? lazy ?? ''
    const owner = BUILTIN_OWNERS[target]
    if (owner !== undefined && owner !== module) problems.push(`${name}: only ${owner}/ imports ${target}`)
    if (target.startsWith('.')) {
      const inside = relative(source, resolve(path, '..', target)).split('/')[0]
      const suite = name.endsWith('.test.ts') && target.includes('/test/contract/')
      if (module !== 'main' && inside !== module && !suite) problems.push(`${name}: reaches into ${inside}/ by a path; import '#${inside}'`)
    }
    if (!target.startsWith('#') || module === 'main') continue
    const imported = target.slice(1)
    if (imported === module) problems.push(`${name}: imports its own module by '#${imported}'; use a relative path`)
    else if (!allowed(module, type !== undefined || isTest(name)).includes(imported)) {
      problems.push(
        `${name}: ${module} may not import ${type ? 'types of ' : ''}${imported}; allowed: ${allowed(module, type !== undefined).join(', ')}`,
      )
    } else if (!name.endsWith('.test.ts')) (graph.get(module) ?? graph.set(module, new Set()).get(module))?.add(imported)
  }
}

if (process.argv.includes('--graph')) {
  for (const [module, targets] of [...graph].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`- \`${module}\` → ${[...targets].sort().join(', ')}`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
