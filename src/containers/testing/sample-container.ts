import type { Container, CreateRequest, ExecRequest } from '../types.ts'
import type { TestBench } from './fake-deps.ts'

/** A program in a container, of which the output is wanted. */
export const SAMPLE_EXEC: ExecRequest = {
  cmd: ['ls', '-l'],
  env: ['A=1'],
  user: '',
  workingDir: '',
  privileged: false,
  tty: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  detachKeys: '',
}

/** A container of the test image, not started. Gives its ID. */
export async function create(bench: TestBench, request: Partial<CreateRequest> = {}): Promise<string> {
  const { id } = await bench.service.create({
    name: '',
    platform: '',
    networks: {},
    hostConfig: {},
    ...request,
    config: { image: 'test', ...request.config },
  })
  return id
}

/** A container that runs. */
export async function started(bench: TestBench, request: Partial<CreateRequest> = {}): Promise<string> {
  const id = await create(bench, request)
  await bench.service.start(id)
  return id
}

export const statusOf = (bench: TestBench, id: string): Container['state']['status'] => bench.service.get(id).state.status
