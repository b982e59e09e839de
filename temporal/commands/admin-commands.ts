import type { Command } from 'commander';
import { ApiClient } from '../cli/api-client.ts';
import { say } from '../cli/output.ts';
import { describeConfig, formatConfig } from '../config/describe-config.ts';
import { loadConfig } from '../config/load-config.ts';

/** Commands that look after the cloudlet of this machine. */
export function addAdminCommands(program: Command): void {
  program
    .command('config')
    .description('the merged configuration and where each value came from; secrets masked')
    .option('--json', 'as JSON', false)
    .action(({ json }: { json: boolean }) => {
      const resolved = loadConfig();
      say(json ? JSON.stringify(describeConfig(resolved), null, 2) : formatConfig(resolved));
    });

  program
    .command('doctor')
    .description('what stands between this host and a good cloudlet, what it costs, and the remedy')
    .option('--json', 'as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const { runDoctor } = await import('../local/doctor/run-doctor.ts');
      const { formatReport } = await import('../local/doctor/format-report.ts');
      const report = await runDoctor(loadConfig().config);
      say(json ? JSON.stringify(report, null, 2) : formatReport(report));
      if (!report.healthy) process.exitCode = 1;
    });

  program
    .command('sign-in')
    .description('print a link that signs in to the manager once')
    .action(async () => {
      const { config } = loadConfig();
      const code = await new ApiClient(config).signInCode();
      say(`http://127.0.0.1:${config.managerPort}/sign-in?code=${code}`);
    });
}
