import { appendFile } from 'node:fs/promises';
import { buildManager } from '../manager/server/build-manager.ts';
import { managerCommand } from '../manager/server/manager-command.ts';
import { inheritedEnvironment } from './config/inherited-environment.ts';
import { checkoutDir } from './config/load-config.ts';
import { localApiUrl } from './config/local-api-url.ts';
import type { Config } from './config/settings.ts';
import type { LocalFacts } from './local/local-parts.ts';
import type { Part } from './supervisor/part.ts';
import { processPart } from './supervisor/process-part.ts';

/** The manager: built when its sources have changed, then run. A cloudlet without it still serves phones. */
export function managerPart(config: Config): Part<LocalFacts> {
  return {
    name: 'manager',
    title: 'Manager',
    optional: true,
    async start(context) {
      const log = (text: string): void => void appendFile(context.logPath, text).catch(() => undefined);
      const { dir } = await buildManager({ checkoutDir, environment: inheritedEnvironment(), log, signal: context.signal });
      const command = managerCommand({ dir, node: process.execPath, port: config.managerPort, apiUrl: localApiUrl(config) });
      return processPart<LocalFacts>({
        name: 'manager',
        title: 'Manager',
        argv: command.argv,
        environment: () => ({ ...inheritedEnvironment(), ...command.environment }),
        workingDir: dir,
        ready: async () => (await fetch(`http://127.0.0.1:${config.managerPort}/health`)).ok,
        detail: `127.0.0.1:${config.managerPort}`,
      }).start(context);
    },
  };
}
