/** `docker logs`: print what a container has written. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { compareVersions, containerLogs, inspectContainer } from '#client'
import { timeArgument } from '../../opts/time-argument.ts'
import { FrameDecoder, MEDIA_TYPES } from '#api'

export const command: Command = defineCommand({
  use: 'logs [OPTIONS] CONTAINER',
  short: 'Fetch the logs of a container',
  aliases: ['container logs', 'logs'],
  args: exactly(1),
  flags: {
    details: bool('Show extra details provided to logs'),
    follow: bool('Follow log output', { short: 'f' }),
    since: string('Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    tail: string('Number of lines to show from the end of the logs', { short: 'n', initial: 'all' }),
    timestamps: bool('Show timestamps', { short: 't' }),
    until: string('Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
  },
  async run(cli, { flags, args }) {
    const engine = cli.engine()
    const [name = ''] = args
    const response = await containerLogs(engine, name, {
      follow: flags.follow,
      ...(flags.since === '' ? {} : { since: timeArgument(flags.since, 'since') }),
      ...(flags.until === '' ? {} : { until: timeArgument(flags.until, 'until') }),
      timestamps: flags.timestamps,
      details: flags.details,
      tail: flags.tail,
    })
    const mediaType = response.headers.get('content-type') ?? ''
    // Before API 1.42 every stream is called raw: only the container itself tells whether it is framed.
    const tellsByType = mediaType === MEDIA_TYPES.multiplexedStream || compareVersions(await engine.version(), '1.42') >= 0
    const isFramed = tellsByType ? mediaType === MEDIA_TYPES.multiplexedStream : !(await inspectContainer(engine, name)).Config.Tty
    if (!isFramed) await response.body.pipe((chunk) => cli.stdout.write(chunk))
    else {
      const decoder = new FrameDecoder((stream, payload) => (stream === 'stderr' ? cli.stderr : cli.stdout).write(payload))
      await response.body.pipe((chunk) => decoder.write(chunk))
    }
    return OK
  },
})
