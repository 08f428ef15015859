/** Logins of the docker CLI and of ours on the same (fake) engine: what is printed, what is asked for, and the files that are left, byte for byte. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startFakeEngine, type FakeEngine } from './fake-engine.ts'
import { docker, dockerMissing, gantry, GANTRY } from './program.ts'
import { terminalMissing, TerminalSession } from './terminal-session.ts'

const REGISTRY = 'registry.example:5000'

/** A credential helper that keeps one login in a file. */
const HELPER = `#!/bin/sh
case $1 in
  store) cat > "$STORE" ;;
  get) read -r server; grep -q "\\"ServerURL\\":\\"$server\\"" "$STORE" 2>/dev/null && exec cat "$STORE"; echo credentials not found in native keychain; exit 1 ;;
  erase) cat > /dev/null; rm -f "$STORE" ;;
esac
`

interface Step {
  args: string[]
  input?: string
}

interface Scenario {
  /** config.json at the start. */
  config?: object
  steps: Step[]
}

const login = (...args: string[]): Step => ({ args: ['login', ...args] })

const SCENARIOS: Record<string, Scenario> = {
  'a login is kept, used again and erased': {
    steps: [
      login('-u', 'me', '-p', 'pw', REGISTRY),
      login(REGISTRY),
      login('-u', 'me', '-p', 'pw', `https://${REGISTRY}/v2/`),
      { args: ['login', '-u', 'you', '--password-stdin', REGISTRY], input: 'pw\r\n' },
      login('-u', 'me', '-p', 'wrong', REGISTRY),
      { args: ['logout', REGISTRY] },
      { args: ['logout', REGISTRY] },
    ],
  },
  'Docker Hub has a key of its own, and may give a token': {
    steps: [
      login('-u', 'token', '-p', 'pw'),
      { args: ['logout'] },
      login('-u', 'me', '-p', 'pw', 'docker.io'),
      { args: ['logout', 'docker.io'] },
    ],
  },
  'other keys of the file stay': {
    config: { psFormat: 'x', auths: { 'z.example': { auth: 'YTpi' }, 'a.example': { auth: 'YTpi' } }, detachKeys: 'ctrl-a' },
    steps: [login('-u', 'me', '-p', 'pw', REGISTRY), { args: ['logout', 'z.example'] }],
  },
  'a helper for all registries keeps the login': {
    config: { credsStore: 'test', psFormat: 'x' },
    steps: [
      login('-u', 'me', '-p', 'pw', REGISTRY),
      login(REGISTRY),
      { args: ['logout', REGISTRY] },
      login('-u', 'token', '-p', 'pw', REGISTRY),
    ],
  },
  'a helper for one registry keeps its login': {
    config: { credHelpers: { [REGISTRY]: 'test' } },
    steps: [login('-u', 'me', '-p', 'pw', REGISTRY), login(REGISTRY), { args: ['logout', REGISTRY] }],
  },
  'a helper that is missing fails the login': {
    config: { credsStore: 'nosuch' },
    steps: [login('-u', 'me', '-p', 'pw', REGISTRY), login(REGISTRY)],
  },
  'logins of older clients are found by host name': {
    config: { auths: { [`https://${REGISTRY}/v1/`]: { auth: 'bWU6cHc=' } } },
    steps: [login(REGISTRY), { args: ['logout', REGISTRY] }],
  },
  'a pull that wants a login asks for one': {
    steps: [
      // Of Docker Hub: for other registries this version of docker says, by mistake, what it says of the Hub.
      { args: ['pull', 'private'], input: '\n' },
      { args: ['push', 'private'], input: 'me\n' },
    ],
  },
}

describe('logins like those of the docker CLI', { skip: dockerMissing() ?? false }, () => {
  let engine: FakeEngine
  before(async () => {
    engine = await startFakeEngine()
  })
  after(() => engine[Symbol.asyncDispose]())

  /** Everything a scenario shows and leaves. */
  async function play(run: typeof docker, { config, steps }: Scenario): Promise<object[]> {
    const directory = mkdtempSync(join(tmpdir(), 'login-'))
    const path = join(directory, 'config.json')
    const env = helperEnv(directory)
    try {
      if (config !== undefined) writeFileSync(path, JSON.stringify(config))
      const shown: object[] = []
      for (const { args, input } of steps) {
        engine.bodies.clear()
        const outcome = await run(args, {
          env: { ...env, DOCKER_HOST: engine.host, DOCKER_CONFIG: directory },
          ...(input === undefined ? {} : { input }),
        })
        const neutral = (text: string): string => text.replaceAll(directory, '/tmp/login-XXXXXX')
        shown.push({
          args,
          ...outcome,
          stdout: neutral(outcome.stdout),
          stderr: neutral(outcome.stderr),
          asked: [...engine.bodies],
          file: existsSync(path) ? readFileSync(path, 'utf8') : 'none',
          helper: existsSync(env['STORE'] ?? '') ? (JSON.parse(readFileSync(env['STORE'] ?? '', 'utf8')) as object) : 'none',
        })
      }
      return shown
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(name, async () => {
      const expected = await play(docker, scenario)
      assert.deepEqual(await play(gantry, scenario), expected)
    })
  }

  const TYPED: Record<string, { args: string[]; config?: object; answers: [question: string, answer: string][] }> = {
    'user and password': {
      args: ['login', REGISTRY],
      answers: [
        ['Username: ', 'me\r'],
        ['Password: ', 'pw\r'],
      ],
    },
    'the stored user, when the password is no longer good': {
      args: ['login', REGISTRY],
      config: { auths: { [REGISTRY]: { auth: Buffer.from('me:wrong').toString('base64') } } },
      answers: [
        ['Username (me): ', '\r'],
        ['Password: ', 'pw\r'],
      ],
    },
    nothing: { args: ['login', REGISTRY], answers: [['Username: ', '\r']] },
    'no password': { args: ['login', '-u', 'me', REGISTRY], answers: [['Password: ', '\r']] },
    'a password for Docker Hub': { args: ['login', '-u', 'me'], answers: [['Password: ', 'pw\r']] },
    'a login prior to pull': {
      args: ['pull', 'private'],
      answers: [
        ['Username: ', 'me\r'],
        ['Password: ', 'pw\r'],
      ],
    },
  }

  for (const [name, { args, config, answers }] of Object.entries(TYPED)) {
    it(`on a terminal: ${name}`, { skip: terminalMissing() ?? false }, async () => {
      const screen = async (command: readonly string[], env: Record<string, string>): Promise<object> => {
        const directory = mkdtempSync(join(tmpdir(), 'login-'))
        try {
          if (config !== undefined) writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
          await using session = new TerminalSession([...command, ...args], { ...env, DOCKER_HOST: engine.host, DOCKER_CONFIG: directory })
          for (const [question, answer] of answers) {
            await session.expect(question)
            session.type(answer)
          }
          const status = await session.status()
          return { status, output: session.output.replaceAll(directory, '/tmp/login-XXXXXX') }
        } finally {
          rmSync(directory, { recursive: true })
        }
      }
      const expected = await screen(['docker'], {})
      assert.deepEqual(await screen([GANTRY], { GANTRY_PROGRAM: 'docker' }), expected)
    })
  }

  it('on a terminal: Ctrl-C at the password leaves the terminal as it was', { skip: terminalMissing() ?? false }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'login-'))
    try {
      const script = `${GANTRY} login -u me ${REGISTRY}; echo status $?; stty -a | grep -o ' echo '; echo end`
      await using session = new TerminalSession(['sh', '-c', `trap : INT; ${script}`], {
        DOCKER_HOST: engine.host,
        DOCKER_CONFIG: directory,
      })
      await session.expect('Password: ')
      session.type('half\x7f\x03')
      await session.expect('status 130')
      await session.expect(' echo ')
      await session.expect('end')
      assert.equal(session.output.includes('half'), false)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

function helperEnv(directory: string): Record<string, string> {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'docker-credential-test'), HELPER)
  chmodSync(join(bin, 'docker-credential-test'), 0o755)
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}`, STORE: join(directory, 'store') }
}
