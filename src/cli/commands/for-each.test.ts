import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Cli } from '../cli.ts'
import { forEachName } from './for-each.ts'

it('forEachName prints what succeeded in order, tells what is harmless, and fails with the rest', async () => {
  const printed: string[] = []
  const warned: string[] = []
  const cli = { print: (text: string) => printed.push(text), warn: (text: string) => warned.push(text) } as unknown as Cli
  const operation = async (name: string): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, name === 'slow' ? 5 : 0))
    if (name.startsWith('no')) throw new Error(`No such thing: ${name}`)
  }
  const isHarmless = (error: unknown): boolean => error instanceof Error && error.message.endsWith('nobody')
  await assert.rejects(forEachName(cli, ['slow', 'none', 'nobody', 'quick'], operation, isHarmless), { message: 'No such thing: none' })
  assert.deepEqual(printed, ['slow', 'quick'])
  assert.deepEqual(warned, ['No such thing: nobody'])
  await forEachName(cli, ['nobody'], operation, isHarmless)
})
