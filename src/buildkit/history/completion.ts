import type { BuildEvent, ImageProvenance } from '#build'
import { create, status, toBinary, toStatus, type control, type MessageInitShape } from '#grpc'
import { describeBuildError } from '../build-errors.ts'
import { timestamp } from '../status-response.ts'
import type { RecordInit } from './build-record.ts'
import type { Attachment, HistoryBlobs } from './history-blobs.ts'
import { encodeLog, LOG_TYPE } from './status-log.ts'

/** What became of a build. */
export type Outcome = FinishedBuild | { error: unknown }

export interface FinishedBuild {
  exporterResponse: Record<string, string>
  /** Made when it is asked for. */
  provenance: () => readonly ImageProvenance[]
}

type ResultInfo = MessageInitShape<typeof control.BuildResultInfoSchema>

const PROVENANCE_TYPE = 'application/vnd.in-toto+json'
/** As BuildKit spells it. */
const ERROR_TYPE = 'application/vnd.googeapis.google.rpc.status+proto'

/**
 * What the record of a build gets when the build has ended; its log, and its error or provenance, are stored as blobs. Source: moby/buildkit
 * solver/llbsolver/solver.go.
 */
export function completion(events: readonly BuildEvent[], outcome: Outcome, blobs: HistoryBlobs): RecordInit {
  return {
    ...counts(events),
    ...(events.length > 0 && { logs: blobs.put(LOG_TYPE, encodeLog(events)) }),
    ...('error' in outcome ? failure(outcome.error, blobs) : success(outcome, blobs)),
    completedAt: timestamp(Date.now()),
  }
}

function counts(events: readonly BuildEvent[]): RecordInit {
  const steps = new Map<string, Extract<BuildEvent, { kind: 'vertex' }>>()
  for (const event of events) if (event.kind === 'vertex') steps.set(event.id, event)
  const all = [...steps.values()]
  return {
    numTotalSteps: all.length,
    numCompletedSteps: all.filter(({ completed }) => completed !== undefined).length,
    numCachedSteps: all.filter(({ cached }) => cached).length,
    numWarnings: events.filter(({ kind }) => kind === 'warning').length,
  }
}

/** The record itself holds the text alone, so that a list of records is short. */
function failure(error: unknown, blobs: HistoryBlobs): RecordInit {
  const { code, message, details } = toStatus(describeBuildError(error))
  const whole = toBinary(status.StatusSchema, create(status.StatusSchema, { code, message, details }))
  return { error: { code, message }, ...(details.length > 0 && { externalError: blobs.put(ERROR_TYPE, whole) }) }
}

function success({ exporterResponse, provenance }: FinishedBuild, blobs: HistoryBlobs): RecordInit {
  const [first, ...others] = provenance().map((made): [string, ResultInfo] => [made.image, { attestations: [attach(made, blobs)] }])
  if (first === undefined) return { exporterResponse }
  return { exporterResponse, ...(others.length === 0 ? { result: first[1] } : { results: Object.fromEntries([first, ...others]) }) }
}

function attach({ predicateType, predicate }: ImageProvenance, blobs: HistoryBlobs): Attachment {
  return blobs.put(PROVENANCE_TYPE, Buffer.from(JSON.stringify(predicate)), { 'in-toto.io/predicate-type': predicateType })
}
