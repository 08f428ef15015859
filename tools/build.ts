/**
 * Bundles `src/main.ts` into `dist/gantry.cjs`, the one file that is shipped beside the native program.
 * Raw TypeScript starts too slowly for a CLI (type stripping alone costs over 100 ms cold).
 * Usage: `node tools/build.ts`. SOURCE_DATE_EPOCH (seconds) fixes the time that is written into it, for builds that must come out the same.
 */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { build } from 'esbuild'

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

await build({
  entryPoints: [resolve(root, 'src/main.ts')],
  outfile: resolve(root, 'dist/gantry.cjs'),
  bundle: true,
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
})
