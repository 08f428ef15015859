/**
 * Bundles `src/main.ts` into `dist/gantry.cjs`, and each part that it loads on demand into a file of its own: in one file each command, and each thread, would pay
 * some 10 ms and more for code that it never runs. ARCHITECTURE.md says what is in which bundle, docs/adr/0006 why.
 * Usage: `node tools/build.ts`. SOURCE_DATE_EPOCH (seconds) fixes the time that is written into it, for builds that must come out the same.
 */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const root = resolve(import.meta.dirname, '..')

/** For `docker version`; `src/daemon/version.ts` has the shape. */
function buildFacts(): { gitCommit: string; time: string } {
  const git = spawnSync('git', ['--no-optional-locks', 'describe', '--always', '--abbrev=7', '--dirty', '--match='], {
    cwd: root,
    encoding: 'utf8',
  })
  const epoch = process.env['SOURCE_DATE_EPOCH']
  const time = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)
  // A tree without git is built, too.
  return { gitCommit: git.status === 0 ? git.stdout.trim() : 'unknown', time: time.toISOString() }
}

/** What is loaded on demand is taken from a bundle of its own. `importer`: only from there; the other modules of a bundle import it as their own. */
function apart(filter: RegExp, bundle: string, importer?: string): Plugin {
  return {
    name: `apart-${bundle}`,
    setup(bundler) {
      bundler.onResolve({ filter }, (found) =>
        importer === undefined || found.importer === resolve(root, importer) ? { path: `./${bundle}.cjs`, external: true } : undefined,
      )
    },
  }
}

/** Of node's own modules: they cost a start 12 ms, most of it OpenSSL's tables, and few daemons and commands need them. Loaded when something of theirs is used. */
const lateModules: Plugin = {
  name: 'late-modules',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:(https|tls|zlib)$/ }, ({ path }) => ({ path, namespace: 'late' }))
    bundler.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => {
      const names = JSON.stringify(Object.keys(process.getBuiltinModule(path) ?? {}))
      const getter = `(name) => [name, { enumerable: true, get: () => process.getBuiltinModule('${path}')[name] }]`
      return { contents: `module.exports = Object.defineProperties({}, Object.fromEntries(${names}.map(${getter})))` }
    })
  },
}

const common: BuildOptions = {
  bundle: true,
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
  // `import()` becomes `require`: node's loader of ES modules would read a bundle a second time to find the names of its exports, 15 ms for the engine.
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: {
    'import.meta.url': '__gantryModuleUrl',
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
    GANTRY_BUILD: JSON.stringify(buildFacts()),
  },
  banner: { js: "const __gantryModuleUrl=require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
}

/** A bundle that nothing but another one loads. `exports`: its only content. */
function part(name: string, exports: string, plugins: Plugin[] = []): Promise<unknown> {
  const stdin = { contents: exports, resolveDir: root, loader: 'ts' } as const
  return build({ ...common, stdin, outfile: resolve(root, `dist/${name}.cjs`), plugins })
}

const grpcApart = apart(/^\.\/library\.ts$/, 'grpc')
const awsApart = apart(/^\.\/aws-sdk\.ts$/, 'aws-sdk')
/** For devices that are described in YAML; the registry reads its configuration with it at each start, and has it as its own. */
const yamlApart = apart(/^yaml$/, 'yaml')
/** Each exports what it uses of the SDK; in one bundle are the names of both, as two modules cannot both export all of theirs from it. */
const awsUses = await Promise.all([
  import('../src/registry/s3/aws-sdk.ts') as Promise<object>,
  import('../src/build/export/cache/services/s3/aws-sdk.ts') as Promise<object>,
])
const awsNames = [...new Set(awsUses.flatMap((used) => Object.keys(used)))]

await Promise.all([
  build({
    ...common,
    entryPoints: [resolve(root, 'src/main.ts')],
    outfile: resolve(root, 'dist/gantry.cjs'),
    plugins: [
      apart(/^#cli$/, 'cli', 'src/main.ts'),
      apart(/^#daemon$/, 'engine', 'src/main.ts'),
      apart(/^#snapshots$|\/file-tasks\.ts$/, 'unpacker', 'src/main.ts'),
      apart(/^#registry$/, 'registry', 'src/main.ts'),
    ],
  }),
  part('cli', "export { runCli } from '#cli'", [lateModules, apart(/^\.\.\/\.\.\/builder\/build\.ts$/, 'builder')]),
  part('engine', "export { runDaemon } from '#daemon'", [lateModules, grpcApart, awsApart, yamlApart]),
  part('unpacker', "export { runUnpackWorker } from '#snapshots'; export { loadFileTask } from './src/build/files/file-tasks.ts'"),
  part('registry', "export { runRegistry } from '#registry'", [awsApart]),
  part('aws-sdk', `export { ${awsNames.join(', ')} } from '@aws-sdk/client-s3'`),
  part('builder', "export { build } from './src/cli/builder/build.ts'", [lateModules, grpcApart]),
  part('grpc', "export * from './src/grpc/library.ts'"),
  part('yaml', "export { parse } from 'yaml'"),
])
