/** Writes `docs/generated/cli.md`; `reference.test.ts` fails when it is stale. Usage: `node test/cli/write-reference.ts`. */
import { writeFile } from 'node:fs/promises'
import { reference, REFERENCE_PATH } from './reference.ts'

await writeFile(REFERENCE_PATH, await reference())
