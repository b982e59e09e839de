import type { ResolvedConfig } from '../config/resolve-config.ts';
import { assignPorts } from '../local/assign-ports.ts';
import { prepareDataDir } from '../local/data-dir.ts';
import { localParts, type LocalFacts } from '../local/local-parts.ts';
import { ownParts } from '../own-parts.ts';
import { lineReport, type Report } from '../supervisor/report.ts';
import { supervise } from '../supervisor/supervise.ts';
import { welcome } from './welcome.ts';

/**
 * Brings a cloudlet up and keeps it up until it is asked to stop.
 * @returns exit status
 */
export async function startCloudlet({ config: given, warnings }: ResolvedConfig): Promise<number> {
  const dataDir = prepareDataDir(given.dataDir);
  const write = (text: string): void => void process.stdout.write(text);
  let failed = false;
  const lines = lineReport(write);
  const report: Report = {
    ...lines,
    failed: (title, durationMs, reason) => {
      failed = true;
      lines.failed(title, durationMs, reason);
    },
  };
  for (const warning of warnings) report.note(warning);
  const startedAt = performance.now();
  let config = given;
  const supervised = supervise<LocalFacts>({
    runDir: dataDir.run,
    logDir: dataDir.logs,
    report,
    plan: async () => {
      config = await assignPorts(given, dataDir.run);
      return [...localParts(config, dataDir), ...ownParts(config)];
    },
    onReady: async (facts, degraded) => write(await welcome({ ...config, ...facts }, performance.now() - startedAt, degraded)),
    onStopping: () => write('\nStopping; Service VMs run on. A second Ctrl-C stops at once.\n'),
  });
  return supervised.catch((error: unknown) => {
    // The part that failed has said why already.
    if (!failed) throw error;
    write(`\nThe cloudlet did not start. Logs: ${dataDir.logs}. What is wrong with this host: npx cloudlet doctor\n`);
    return 1;
  });
}
