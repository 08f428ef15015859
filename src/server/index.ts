/**
 * The HTTP edge: Docker's Engine API over the engine's services.
 *
 * Purpose: decode what clients send, once and with limits; call one method of a domain service; encode what it gives, in the shape that the
 * API version in the URL has. No policy lives here, and no domain module knows of HTTP: `server/` imports their types, `daemon/` hands
 * in the implementations.
 *
 * Life of a request (docs/request-lifecycle.md tells it in full): `api-server.ts` receives it from `node:http`, `router.ts` finds the row of
 * the route table (`routes.ts`, `router/<resource>.ts`), `request-context.ts` or `hijack-context.ts` carries it, `decode/` reads query and
 * body, `wire/` translates, and anything thrown becomes a status in `http-status.ts`.
 *
 * Glossary:
 * - **route**: one row of the table: method, path pattern, first API version, handler.
 * - **hijack**: the connection stops being HTTP after the head of the answer (attach, exec start).
 * - **codec**: a table of fields that decodes, checks and encodes one Go struct (`wire/codec.ts`).
 *
 * Example:
 * ```ts
 * const api = createApiServer({ containers, images, networks, volumes, events, system, serverVersion: '0.1.0' })
 * const server = createHttpServer(api)
 * server.listen('/run/gantry.sock')
 * // later
 * await api.close()
 * ```
 */

export { API_SERVER_OPTIONS, createApiServer, createHttpServer, type ApiServer } from './api-server.ts'
export type { ApiServerDeps, BuildkitBackend, SystemBackend } from './backend.ts'
