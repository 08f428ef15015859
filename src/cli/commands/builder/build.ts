/** `docker build`: an image from a Dockerfile. */
import { exactly, defineCommand, type Command } from '../../command.ts'
import { BUILD_FLAGS } from '../../builder/build-flags.ts'

export const command: Command = defineCommand({
  use: 'build [OPTIONS] PATH | URL | -',
  short: 'Build an image from a Dockerfile',
  aliases: ['image build', 'build', 'builder build'],
  args: exactly(1),
  flags: BUILD_FLAGS,
  async run(cli, { flags, args }) {
    // What a build needs (gRPC, the Dockerfile language) is not loaded for a help page.
    const { build } = await import('../../builder/build.ts')
    return await build(cli, flags, args[0] ?? '')
  },
})
