import type { control, MessageInitShape } from '#grpc'

/** What clients are told of one build. Source: moby/buildkit api/services/control/control.proto, BuildHistoryRecord. */
export type BuildRecord = control.BuildHistoryRecord

/** Members of a {@link BuildRecord}, as many as are known. */
export type RecordInit = Exclude<MessageInitShape<typeof control.BuildHistoryRecordSchema>, BuildRecord>
