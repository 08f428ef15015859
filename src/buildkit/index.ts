/**
 * BuildKit's services, as docker build, buildx, bake and compose expect them: a door to the build service that speaks gRPC.
 *
 * Life of a build by buildx (moby/buildkit client/build.go):
 * 1. It calls on a connection upgraded at `POST /grpc`, and *serves* on one upgraded at `POST /session`: its directories, secrets, logins, and the places that
 *    results go to (`session/`).
 * 2. `Control.Solve` starts the build and answers when it has ended; `Control.Status` tells what happens meanwhile (`status-response.ts`).
 * 3. `LLBBridge.Solve` runs a frontend. Its result are references: opaque ids, which the client may look into, put into a definition of its own (`llb/`), or
 *    give to `LLBBridge.Return`, whereupon `Control.Solve` exports it. A frontend that is a program in an image has the same service on its standard streams
 *    (`services/frontend-protocol.ts`).
 * 4. What became of it is kept, over restarts, too: `Control.ListenBuildHistory` tells of the last builds, `Content.Read` gives their provenance (`history/`).
 *
 * Glossary:
 * - **session**: a client's connection on which the daemon calls; known by an id that the client chose.
 * - **definition**: a build graph as encoded by a client (LLB); decoded into the vertices of `#build`.
 * - **reference**: a file system given out; in definitions it is a private source, `gantry-result://…`.
 *
 * ```ts
 * const door = createBuildkitDoor({ builds, content, makeVertex: vertex, platform: hostPlatform(), worker, history })
 * door.serve(socket)                                      // after the upgrade of POST /grpc
 * door.openSession(() => socket, { id, sharedKey: '' })   // after the upgrade of POST /session
 * ```
 */

export { createBuildkitDoor, type BuildkitDoor, type BuildkitDoorDeps } from './buildkit-door.ts'
export type { SessionHello } from './session/client-session.ts'
export type { WorkerFacts } from './worker-record.ts'
