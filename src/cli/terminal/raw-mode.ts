/**
 * Puts the terminal on standard input into raw mode: every key goes to the container, which echoes and edits itself. Returns what restores
 * it.
 *
 * Node's raw mode leaves output processing on, so that a container's `\r\n` would arrive as `\r\r\n`; stty switches it off. Without stty the
 * extra carriage return is all that is wrong. Restoring goes through Node, which remembers the settings from before.
 */
export function enterRawMode(): () => void {
  const { stdin } = process
  stdin.setRawMode(true)
  // Not imported above: most sessions have no terminal, and the module costs them 1 ms.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  return () => void stdin.setRawMode(false)
}
