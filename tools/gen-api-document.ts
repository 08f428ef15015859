/** Writes `docs/generated/api.md` from the route table. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { API_DOCUMENT_PATH, renderApiDocument } from '../src/server/api-document.ts'

const path = join(import.meta.dirname, '..', API_DOCUMENT_PATH)
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, renderApiDocument())
