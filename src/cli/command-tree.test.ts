import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findCommand } from './command-tree.ts'
import { ROOT_COMMANDS, ROOT_SECTIONS } from './commands/table.ts'

describe('findCommand', () => {
  it('finds both spellings of a command, and aliases', () => {
    for (const args of [
      ['rm', 'x'],
      ['container', 'rm', 'x'],
      ['container', 'remove', 'x'],
      ['image', 'list', 'x'],
      ['ps', 'x'],
    ]) {
      assert.deepEqual(findCommand(ROOT_COMMANDS, args)?.rest, ['x'], args.join(' '))
    }
    assert.deepEqual(findCommand(ROOT_COMMANDS, ['container', 'ps'])?.path, ['container', 'ls'])
  })

  it('stops at a group, and finds nothing for an unknown name', () => {
    assert.deepEqual(findCommand(ROOT_COMMANDS, ['container', 'nosuch'])?.path, ['container'])
    assert.equal(findCommand(ROOT_COMMANDS, ['nosuch']), undefined)
  })
})

describe('the table', () => {
  it('says the same about a command as its file, and every file loads', async () => {
    for (const root of ROOT_COMMANDS) {
      for (const node of root.children ?? [root]) {
        const command = (await node.load?.())?.command
        assert.equal(command?.short, node.short, `${root.name} ${node.name}`)
      }
    }
  })

  it('names every command of the root in one section of the help', () => {
    const listed = ROOT_SECTIONS.flatMap(({ names }) => names)
    assert.equal(new Set(listed).size, listed.length)
    for (const { name } of ROOT_COMMANDS) assert.ok(listed.includes(name), name)
  })
})
