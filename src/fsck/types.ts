/** Contracts of `fsck/`. The manual is in `index.ts`. */

/** What can be wrong. Permanent names: scripts read them. */
export type FindingKind =
  /** SQLite's own check of the file, or a record that is no JSON and was set aside at start. */
  | 'database-damaged'
  | 'record-damaged'
  /** A blob whose bytes have another digest than its name. */
  | 'blob-damaged'
  /** A blob that a record needs. */
  | 'blob-missing'
  /** Files of a layer differ from its archive. */
  | 'layer-damaged'
  /** The directory of a layer is gone. */
  | 'layer-missing'
  /** A record names another that is not there, or does not say what it must. */
  | 'image-broken'
  | 'reference-broken'
  | 'chain-broken'
  | 'snapshot-broken'
  | 'container-broken'
  | 'volume-broken'
  /** Files and directories that belong to nothing. */
  | 'orphan'

/** What became of a finding; `found` without `repair`, or where nothing can be done. */
export type FindingOutcome = 'found' | 'repaired' | 'failed'

export interface Finding {
  kind: FindingKind
  /**
   * `error`: something does not work or will not. `note`: all that runs goes on running, but something has to be fetched again to be
   * saved or pushed; an engine with notes alone is clean.
   */
  severity: 'error' | 'note'
  /** What it is about: a digest, a name, a container id, a path below the data root. */
  object: string
  /** One sentence for the user, with what is lost or what to do about it. */
  text: string
  repairable: boolean
  outcome: FindingOutcome
}

/** In this order. */
export type FsckPhase = 'database' | 'blobs' | 'layers' | 'records' | 'leftovers'

export type FsckEvent =
  /** `done` of `total` objects of a phase have been looked at. */
  { kind: 'progress'; phase: FsckPhase; done: number; total: number } | { kind: 'finding'; finding: Finding }

export interface FsckOptions {
  /** Mend what can be mended without guessing. False: nothing is changed. */
  repair: boolean
  signal?: AbortSignal
  report: (event: FsckEvent) => void
}

export interface FsckReport {
  /** All findings, in the order in which they were reported. */
  findings: Finding[]
  checked: { blobs: number; layers: number; images: number; containers: number }
  /** Names (or ids) of images that have to be pulled or loaded again, sorted. */
  lost: string[]
  /** No error is left: none was found, or all are repaired. */
  clean: boolean
}

/** Check and repair of everything below the data root, while the daemon works. */
export interface Fsck {
  /** One run at a time: throws CONFLICT during another. Throws the reason of `signal`; what was repaired until then stays so. */
  run(options: FsckOptions): Promise<FsckReport>
}
