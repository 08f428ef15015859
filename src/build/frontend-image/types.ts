/** Contracts between the build and the protocol that frontends in images speak. How such a program is run: `image-frontend.ts`. */

import type { Duplex } from 'node:stream'
import type { ErrorCode } from '#errors'
import type { BuildErrorFacts } from '../build-error.ts'
import type { Edge } from '../graph/types.ts'
import type { BuildResult, DrivenBuild } from '../types.ts'

/** How frontends that are programs are spoken with: BuildKit's LLBBridge. Given from outside, as it is gRPC. */
export interface FrontendProtocol {
  /** What a program is told of the builder, as variables. */
  environment(): string[]
  /** Answers a program on its standard input and output, which are `connection` and belong to the answer. */
  serve(connection: Duplex, frontend: ServedRequest): ServedFrontend
}

export interface ServedRequest {
  build: DrivenBuild
  /** Id of the client's session. */
  session: string
  inputs: Readonly<Record<string, Edge>>
}

/** A program that is answered. Disposing cuts its connection, and ends the containers that it has opened. */
export interface ServedFrontend extends AsyncDisposable {
  /** What it has handed over so far; undefined: nothing. */
  returned(): BuildResult | ReturnedError | undefined
}

/** The error that a frontend has handed over, with what is known of it. */
export interface ReturnedError extends BuildErrorFacts {
  code: ErrorCode
  message: string
}
