import { hostAddress } from '../../activities/network/host-address.ts';
import { formatDuration, msPerSecond } from '../../workflows/contract/units.ts';
import { ApiClient } from '../cli/api-client.ts';
import type { Config } from '../config/settings.ts';
import { pollUntil } from '../supervisor/poll-until.ts';

const readyDeadlineMs = 30 * msPerSecond;

/** What a person who has just started a cloudlet wants to know: where everything is, and what to try first. */
export async function welcome(config: Config, startedInMs: number, degraded: readonly string[]): Promise<string> {
  const api = new ApiClient(config);
  await pollUntil(() => api.isReady(), { deadlineMs: readyDeadlineMs });
  const base = `http://${hostAddress(config.networkAdapter)}:${config.apiPort}`;
  const code = await api.signInCode().catch(() => undefined);
  const manager = `http://127.0.0.1:${config.managerPort}`;
  const rows: [string, string][] = [
    ['API', `${base}/v1`],
    ['API reference', `${base}/docs`],
    ['Manager', code ? `${manager}/sign-in?code=${code}` : manager],
    ['Temporal UI', config.temporalUiUrl ?? 'of your own cluster'],
    ['Admin token', `${config.dataDir}/admin.token`],
  ];
  const lines = rows.map(([title, where]) => `  ${title.padEnd(14)}${where}`);
  const without = degraded.length > 0 ? `, without ${degraded.join(' and ')}` : '';
  return `
Ready in ${formatDuration(startedInMs)}${without}.

${lines.join('\n')}

  ${firstSteps(config, base).join('\n  ')}

`;
}

const firstSteps = ({ plugins }: Config, base: string): string[] =>
  plugins.some(({ name }) => name === 'sample-services')
    ? [
        `Try it:       curl -s '${base}/api/servicevm/start?serviceId=cloudlet.sample.echo&join=true'`,
        '(the sample services are built at the first start: `npx cloudlet operation list` shows how far they are)',
      ]
    : [`Try it:       curl -s '${base}/api/services'`];
