/**
 * Bundles `src/main.ts` into `dist/gantry.cjs`, the one file that is shipped beside the native program.
 * Raw TypeScript starts too slowly for a CLI (type stripping alone costs over 100 ms cold).
 * Usage: `node tools/build.ts`.
 */
import { build } from 'esbuild'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
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
  define: { 'import.meta.url': '__gantryModuleUrl', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  banner: { js: "const __gantryModuleUrl=require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
})
