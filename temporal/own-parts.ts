import { join } from 'node:path';
import { inheritedEnvironment } from './config/inherited-environment.ts';
import { checkoutDir } from './config/load-config.ts';
import type { Config } from './config/settings.ts';
import { toEnvironment } from './config/to-environment.ts';
import { managerPart } from './manager-part.ts';
import { localPartNames, type LocalFacts } from './local/local-parts.ts';
import type { Part } from './supervisor/part.ts';
import { processPart } from './supervisor/process-part.ts';

const main = join(checkoutDir, 'temporal', 'main.ts');

/** Our own processes, on top of the local parts. Each is this very program, run for one part alone. */
export function ownParts(config: Config): readonly Part<LocalFacts>[] {
  const environment = (facts: Partial<LocalFacts>) => ({
    ...inheritedEnvironment(),
    ...toEnvironment({ ...config, ...facts }),
    NODE_ENV: 'production',
    // glibc's arenas, one a thread otherwise, keep what Temporal's core gives back.
    MALLOC_ARENA_MAX: '2',
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
    managerPart(config),
  ];
}
