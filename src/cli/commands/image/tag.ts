/** `docker tag`: give an image another name. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { tagImage } from '#client'
import { familiarName, parseAnyReference, parseReference, withDefaultTag } from '#oci'

export const command: Command = defineCommand({
  use: 'tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  short: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  aliases: ['image tag', 'tag'],
  args: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [source = '', target = ''] = args
    check(source, () => parseAnyReference(source))
    const reference = check(target, () => parseReference(target))
    if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference')
    await tagImage(cli.engine(), source, familiarName(reference), withDefaultTag(reference).tag ?? '')
    return OK
  },
})

/** Throws Error that names the text which is no name. */
function check<T>(text: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Error(`Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
