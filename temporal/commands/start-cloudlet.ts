import { join } from 'node:path';
import { checkoutDir } from '../config/load-config.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import type { Config } from '../config/settings.ts';
import { toEnvironment } from '../config/to-environment.ts';
import { assignPorts } from '../local/assign-ports.ts';
import { prepareDataDir } from '../local/data-dir.ts';
import { localPartNames, localParts, type LocalFacts } from '../local/local-parts.ts';
import type { Part } from '../supervisor/part.ts';
import { processPart } from '../supervisor/process-part.ts';
import { lineReport, type Report } from '../supervisor/report.ts';
import { supervise } from '../supervisor/supervise.ts';
import { welcome } from './welcome.ts';

const main = join(checkoutDir, 'temporal', 'main.ts');

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

/** Our own processes. Each is this very program, run for one part alone. */
function ownParts(config: Config): readonly Part<LocalFacts>[] {
  const environment = (facts: Partial<LocalFacts>) => ({
    ...inheritedEnvironment(),
    ...toEnvironment({ ...config, ...facts }),
    NODE_ENV: 'production',
  });
  const node = (command: string, heapMib: number): [string, ...string[]] => [
    process.execPath,
    `--max-old-space-size=${heapMib}`,
    '--max-semi-space-size=4',
    main,
    command,
  ];
  const { postgres, temporal, libvirt, dbus } = localPartNames;
  return [
    processPart({
      name: 'worker',
      title: 'Worker',
      needs: [postgres, temporal, libvirt],
      argv: node('worker', 512),
      environment,
      ready: 'message',
      stopDeadlineMs: 25_000,
      detail: 'takes work',
    }),
    processPart({
      name: 'api',
      title: 'API',
      needs: [postgres, temporal, libvirt, dbus],
      argv: node('api', 384),
      environment,
      ready: 'message',
      stopDeadlineMs: 15_000,
      detail: `${config.apiHost}:${config.apiPort}`,
    }),
  ];
}
