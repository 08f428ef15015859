import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex } from '../graph/digest.ts'
import type { FrontendRequest } from '../types.ts'
import { frontendProgram } from './frontend-program.ts'

const CAPS = 'moby.buildkit.frontend.caps'
const NETWORK = 'moby.buildkit.frontend.network.none'

function ask(options: Record<string, string>, inputs: FrontendRequest['inputs'] = {}): FrontendRequest {
  return { frontend: 'gateway.v0', options, inputs }
}

describe('frontendProgram', () => {
  it('tells a program what the client wants, behind what its image says', () => {
    const config = { Entrypoint: ['/bin/front', '-x'], Cmd: ['ignored'], Env: ['A=b'], WorkingDir: '/work', User: 'nobody' }
    assert.deepEqual(frontendProgram({ config }, ask({ source: 'a/b', 'build-arg:X': 'y=z' })), {
      args: ['/bin/front', '-x'],
      env: ['A=b', 'BUILDKIT_FRONTEND_OPT_0=source=a/b', 'BUILDKIT_FRONTEND_OPT_1=build-arg:X=y=z'],
      cwd: '/work',
      user: '',
      network: 'default',
    })
  })

  it('runs /run where the image names nothing', () => {
    assert.deepEqual(frontendProgram({}, ask({})), { args: ['/run'], env: [], cwd: '/', user: '', network: 'default' })
  })

  it('gives no network to images that want none', () => {
    for (const [value, network] of [
      ['true', 'none'],
      ['1', 'none'],
      ['false', 'default'],
      ['perhaps', 'default'],
    ] as const) {
      assert.equal(frontendProgram({ config: { Labels: { [NETWORK]: value } } }, ask({})).network, network)
    }
  })

  it('refuses an image that lacks what the client needs', () => {
    const able = { config: { Labels: { [CAPS]: 'moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts' } } }
    const inputs = { base: { vertex: vertex({ kind: 'merge' }, [], { name: '' }), output: 0 } }
    const wanted = ask({ 'frontend.caps': 'moby.buildkit.frontend.contexts+forward' }, inputs)
    assert.equal(frontendProgram(able, wanted).args[0], '/run')
    assert.throws(() => frontendProgram({}, ask({}, inputs)), {
      code: 'NOT_IMPLEMENTED',
      message: 'unsupported frontend capability moby.buildkit.frontend.inputs',
    })
    assert.throws(() => frontendProgram({}, ask({ 'frontend.caps': 'x.y' })), { message: 'unsupported frontend capability x.y' })
  })
})
