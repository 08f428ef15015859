/** Lines of `POST /gantry/fsck`, which Docker has not. */

export interface FsckFinding {
  /** Permanent name: scripts read it. */
  kind: string
  severity: 'error' | 'note'
  object: string
  text: string
  repairable: boolean
  outcome: 'found' | 'repaired' | 'failed'
}

export interface FsckSummary {
  checked: { blobs: number; layers: number; images: number; containers: number }
  /** Images that have to be pulled or loaded again. */
  lost: string[]
  clean: boolean
  /** How many there were. */
  findings: number
}

/** One member is present. */
export interface FsckLine {
  progress?: { phase: string; done: number; total: number }
  finding?: FsckFinding
  report?: FsckSummary
  error?: string
}
