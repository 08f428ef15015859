/**
 * The schema, step by step. `PRAGMA user_version` counts the steps that a file has seen. Released steps are never edited: a change of
 * the schema is a new step at the end.
 */

import type { CollectionName } from './types.ts'

/** Collections of the first release; a later one gets its table in a step of its own. */
const FIRST_COLLECTIONS: readonly CollectionName[] = [
  'containers',
  'networks',
  'endpoints',
  'volumes',
  'images',
  'references',
  'layers',
  'chains',
  'initLayers',
  'snapshots',
  'settings',
]

/** SQL of each step; step n brings a file from user_version n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  FIRST_COLLECTIONS.map(createCollection).join('\n'),
  // Pushing images: where registries have blobs, and what layers become when they are compressed.
  ['blobPlaces', 'compressedLayers'].map(createCollection).join('\n'),
  // Records that are no JSON, as they were found.
  'CREATE TABLE damaged (collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (collection, key)) STRICT;',
  // Layers that build steps have left.
  createCollection('drafts'),
  // What build steps have left, by the keys under which it is found.
  createCollection('buildCache'),
  // Directories that build steps use in turn.
  createCollection('cacheMounts'),
  // Builds that have ended.
  createCollection('buildHistory'),
]

/** `seq` keeps the order of first insertion: an upsert leaves it alone. The name is quoted because `references` is a word of SQL. */
function createCollection(name: string): string {
  return `CREATE TABLE "${name}" (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;`
}
