/** Routes that Docker has and Gantry answers with a clear no: 501 for what is to come, 503 for a swarm manager that this node is not. */

import { EngineError, notFound } from '#errors'
import { refusedRoute, type Method, type PlainRoute, type Route } from '../route.ts'

/** Docker's own answer of a node outside a swarm, word for word: tools look for it. */
const NO_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

export function refusedRoutes(): Route[] {
  return [
    refusedRoute('GET', '/containers/{name*}/checkpoints', 'checkpoints', 25),
    refusedRoute('POST', '/containers/{name*}/checkpoints', 'checkpoints', 25),
    refusedRoute('DELETE', '/containers/{name*}/checkpoints/{checkpoint}', 'checkpoints', 25),

    ...pluginRoutes(),
    ...SWARM_ROUTES.map(([method, path]) => swarmRoute(method, path)),
    ...DEBUG_PATHS.map((path) => refusedRoute('GET', path, 'profiling of a Go daemon')),
  ]
}

function pluginRoutes(): Route[] {
  const feature = 'managing plugins'
  return [
    {
      method: 'GET',
      path: '/plugins',
      since: 25,
      summary: 'List managed plugins (there are none)',
      handle(context) {
        context.json(200, [])
      },
    },
    refusedRoute('GET', '/plugins/privileges', feature, 25),
    refusedRoute('POST', '/plugins/pull', feature, 25),
    refusedRoute('POST', '/plugins/create', feature, 25),
    {
      method: 'GET',
      path: '/plugins/{name*}/json',
      since: 25,
      summary: 'Inspect a managed plugin (there are none)',
      handle(context) {
        // Not 501: `docker inspect x` asks every kind of object in turn, and goes on only after a 404.
        throw notFound(`plugin "${context.param('name')}" not found`)
      },
    },
    refusedRoute('DELETE', '/plugins/{name*}', feature, 25),
    refusedRoute('POST', '/plugins/{name*}/enable', feature, 25),
    refusedRoute('POST', '/plugins/{name*}/disable', feature, 25),
    refusedRoute('POST', '/plugins/{name*}/push', feature, 25),
    refusedRoute('POST', '/plugins/{name*}/upgrade', feature, 26),
    refusedRoute('POST', '/plugins/{name*}/set', feature, 25),
  ]
}

const SWARM_ROUTES: readonly [Method, string][] = [
  ['POST', '/swarm/init'],
  ['POST', '/swarm/join'],
  ['POST', '/swarm/leave'],
  ['GET', '/swarm'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/update'],
  ['POST', '/swarm/unlock'],
  ['GET', '/services'],
  ['POST', '/services/create'],
  ['GET', '/services/{id}'],
  ['POST', '/services/{id}/update'],
  ['DELETE', '/services/{id}'],
  ['GET', '/services/{id}/logs'],
  ['GET', '/nodes'],
  ['GET', '/nodes/{id}'],
  ['DELETE', '/nodes/{id}'],
  ['POST', '/nodes/{id}/update'],
  ['GET', '/tasks'],
  ['GET', '/tasks/{id}'],
  ['GET', '/tasks/{id}/logs'],
  ['GET', '/secrets'],
  ['POST', '/secrets/create'],
  ['GET', '/secrets/{id}'],
  ['DELETE', '/secrets/{id}'],
  ['POST', '/secrets/{id}/update'],
  ['GET', '/configs'],
  ['POST', '/configs/create'],
  ['GET', '/configs/{id}'],
  ['DELETE', '/configs/{id}'],
  ['POST', '/configs/{id}/update'],
]

function swarmRoute(method: Method, path: string): PlainRoute {
  return {
    method,
    path,
    summary: 'Swarm: this node is in none',
    refused: true,
    handle() {
      throw new EngineError('UNAVAILABLE', path === '/swarm/leave' ? 'This node is not part of a swarm' : NO_SWARM)
    },
  }
}

const DEBUG_PATHS = [
  '/debug/vars',
  '/debug/pprof/',
  '/debug/pprof/cmdline',
  '/debug/pprof/profile',
  '/debug/pprof/symbol',
  '/debug/pprof/trace',
  '/debug/pprof/{name}',
]
