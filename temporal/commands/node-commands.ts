import type { Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { loadConfig } from '../config/load-config.ts';
import { requireRunning, type RunningConfig } from '../running-config.ts';
import { describeStop, stopCloudlet } from '../local/stop-cloudlet.ts';

/** Commands that run a cloudlet, or a part of it. */
export function addNodeCommands(program: Command): void {
  program
    .command('start', { isDefault: true })
    .description('bring up everything that a cloudlet needs and serve until Ctrl-C; Service VMs run on')
    // The command that is meant when none is named gets the name of one that does not exist, too.
    .allowExcessArguments()
    .action(async (_options: object, { args: [unknown] }: Command) => {
      if (unknown !== undefined)
        throw new CloudletError('invalid-input', `There is no command "${unknown}". cloudlet --help lists those there are.`);
      const { startCloudlet } = await import('./start-cloudlet.ts');
      process.exitCode = await startCloudlet(loadConfig());
    });

  program
    .command('stop')
    .description('end the cloudlet of this data directory')
    .option('--vms', 'its Service VMs, too', false)
    .action(async ({ vms }: { vms: boolean }) => {
      const { config } = loadConfig();
      for (const line of describeStop(await stopCloudlet({ config, vms }))) say(line);
    });

  program
    .command('worker')
    .description('run the worker of this host alone, as a unit under systemd would')
    .action(async () => {
      const { runWorker } = await import('../worker.ts');
      await runUntilSignal(runWorker);
    });

  program
    .command('api')
    .description('run the API alone')
    .action(async () => {
      const { runApi } = await import('../../api/server.ts');
      await runUntilSignal(runApi);
    });
}

type Run = (config: RunningConfig, signal: AbortSignal, onReady: () => void) => Promise<void>;

/** Runs a process of a cloudlet until it is asked to stop; tells a supervisor when it is ready. */
async function runUntilSignal(run: Run): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  await run(requireRunning(loadConfig().config), stop.signal, () => process.send?.('ready'));
  // A supervisor's channel would keep the process alive.
  if (process.connected) process.disconnect();
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
