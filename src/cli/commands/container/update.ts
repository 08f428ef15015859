/** `docker update`: change limits and restart policy of containers. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { custom, int, string, uint } from '../../parser/flag.ts'
import { updateContainer } from '#client'
import { parseRamBytes } from '#lib'
import { parseCpus, parseMemorySwap, parseRestartPolicy } from '../../opts/limits.ts'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'update [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Update configuration of one or more containers',
  aliases: ['container update', 'update'],
  args: atLeast(1),
  flags: {
    'blkio-weight': uint('uint16', 16, 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)'),
    'cpu-period': int('Limit CPU CFS (Completely Fair Scheduler) period'),
    'cpu-quota': int('Limit CPU CFS (Completely Fair Scheduler) quota'),
    'cpu-rt-period': int('Limit the CPU real-time period in microseconds', { version: '1.25' }),
    'cpu-rt-runtime': int('Limit the CPU real-time runtime in microseconds', { version: '1.25' }),
    'cpu-shares': int('CPU shares (relative weight)', { short: 'c' }),
    cpus: custom('decimal', 0, (_, text) => parseCpus(text), 'Number of CPUs'),
    'cpuset-cpus': string('CPUs in which to allow execution (0-3, 0,1)'),
    'cpuset-mems': string('MEMs in which to allow execution (0-3, 0,1)'),
    memory: custom('bytes', 0, (_, text) => parseRamBytes(text), 'Memory limit', { short: 'm' }),
    'memory-reservation': custom('bytes', 0, (_, text) => parseRamBytes(text), 'Memory soft limit'),
    'memory-swap': custom(
      'bytes',
      0,
      (_, text) => parseMemorySwap(text),
      'Swap limit equal to memory plus swap: -1 to enable unlimited swap',
    ),
    'pids-limit': int('Tune container pids limit (set -1 for unlimited)', { version: '1.40' }),
    restart: string('Restart policy to apply when a container exits'),
  },
  async run(cli, { flags, changed, args }) {
    if (changed.size === 0) throw new Error('you must provide one or more flags when using this command')
    const body = {
      BlkioWeight: flags['blkio-weight'],
      CpuPeriod: flags['cpu-period'],
      CpuQuota: flags['cpu-quota'],
      CpuRealtimePeriod: flags['cpu-rt-period'],
      CpuRealtimeRuntime: flags['cpu-rt-runtime'],
      CpuShares: flags['cpu-shares'],
      CpusetCpus: flags['cpuset-cpus'],
      CpusetMems: flags['cpuset-mems'],
      Memory: flags.memory,
      MemoryReservation: flags['memory-reservation'],
      MemorySwap: flags['memory-swap'],
      NanoCpus: flags.cpus,
      // Zero would take the limit away.
      PidsLimit: flags['pids-limit'] === 0 ? null : flags['pids-limit'],
      RestartPolicy: flags.restart === '' ? {} : parseRestartPolicy(flags.restart),
    }
    const engine = cli.engine()
    const warnings: string[] = []
    try {
      await forEachName(cli, args, async (name) => warnings.push(...((await updateContainer(engine, name, body)).Warnings ?? [])))
    } finally {
      for (const warning of warnings) cli.warn(warning)
    }
    return OK
  },
})
