/**
 * Refuses source files over 400 lines and a C program over 2,465 (docs/adr/0003 says why that many). A table or codec that is one piece may be listed here with its reason.
 * Usage: `node tools/check-sizes.ts`.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const LIMIT = 400
const C_LIMIT = 2465

/** Path → why it is one piece. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

const root = resolve(import.meta.dirname, '..')
const problems: string[] = []
let cLines = 0

for (const folder of ['src', 'native', 'tools', 'test', 'bench']) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(root, path)
    if (!entry.isFile() || !/\.(ts|c|h)$/.test(name) || /testdata|^native\/.*\/build\/|^src\/grpc\/generated\//.test(name)) continue
    const lines = readFileSync(path, 'utf8').split('\n').length - 1
    if (/^native\/.*\.c$/.test(name) && !/test/.test(name)) cLines += lines
    if (lines > LIMIT && EXCEPTIONS[name] === undefined) problems.push(`${name}: ${lines} lines, the limit is ${LIMIT}`)
  }
}
if (cLines > C_LIMIT) problems.push(`native/init: ${cLines} lines of C, the limit is ${C_LIMIT}`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
