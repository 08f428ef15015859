/**
 * Bundles `src/main.ts` into `dist/gantry.cjs`, the command line, and what it loads for `gantry daemon` into `dist/engine.cjs`: with the
 * engine in the same file each command would pay some 10 ms for code that it never runs (docs/adr/0006).
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

/** The engine's modules, which `main.ts` loads on demand, are taken from the second bundle. */
const engineApart: Plugin = {
  name: 'engine-apart',
  setup(bundler) {
    bundler.onResolve({ filter: /^#(daemon|snapshots)$/ }, ({ importer }) =>
      importer === resolve(root, 'src/main.ts') ? { path: './engine.cjs', external: true } : undefined,
    )
  },
}

const common: BuildOptions = {
  bundle: true,
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
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

await Promise.all([
  build({ ...common, entryPoints: [resolve(root, 'src/main.ts')], outfile: resolve(root, 'dist/gantry.cjs'), plugins: [engineApart] }),
  build({
    ...common,
    stdin: {
      contents: "export { runDaemon } from '#daemon'; export { runUnpackWorker } from '#snapshots'",
      resolveDir: root,
      loader: 'ts',
    },
    outfile: resolve(root, 'dist/engine.cjs'),
  }),
])
