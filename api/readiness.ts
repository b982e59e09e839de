import type { Static } from 'typebox';
import { isFresh, listHosts } from '../activities/store/hosts.ts';
import type { HealthBody } from '../workflows/contract/http.ts';
import type { ApiContext } from './context.ts';

type Health = Static<typeof HealthBody>;
type Check = Health['checks'][number];

const checkTimeoutMs = 2_000;

/** What a start needs: the database, Temporal, and a host whose worker and hypervisor answer. Room is not asked for. */
export async function checkReadiness(context: ApiContext): Promise<Health> {
  const checks = await Promise.all([
    check('database', () => askStore(context)),
    check('temporal', () => askTemporal(context)),
    check('host', () => askHosts(context)),
  ]);
  const plugins = await context.plugins.report();
  const degraded = plugins.filter(({ state }) => state === 'failed' || state === 'blocked' || state === 'degraded');
  return {
    status: checks.every(({ ok }) => ok) ? 'ready' : 'unready',
    degraded: degraded.map(({ id, detail }) => `plugin ${id}: ${detail}`),
    checks,
  };
}

/** Never rejects: what a check throws is its finding. */
async function check(name: string, ask: () => Promise<string>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not answer within ${checkTimeoutMs / 1000} s`)), checkTimeoutMs);
  });
  try {
    return { name, ok: true, detail: await Promise.race([ask(), late]) };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function askStore({ store }: ApiContext): Promise<string> {
  await store.fork().execute('select 1');
  return 'answers';
}

async function askTemporal({ temporal, temporalNamespace }: ApiContext): Promise<string> {
  await temporal.connection.withDeadline(Date.now() + checkTimeoutMs, () =>
    temporal.workflowService.describeNamespace({ namespace: temporalNamespace }),
  );
  return 'answers';
}

async function askHosts({ store }: ApiContext): Promise<string> {
  const hosts = await listHosts(store);
  const fresh = hosts.filter((host) => isFresh(host, store.clock.nowMs()));
  if (fresh.length === 0) throw new Error('no worker of this cloudlet is running');
  const usable = fresh.filter(({ hypervisorProblem }) => hypervisorProblem === null);
  if (usable.length === 0) throw new Error(fresh[0]!.hypervisorProblem ?? 'no hypervisor answers');
  return `${usable.length} of ${hosts.length} hosts`;
}
