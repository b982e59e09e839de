import { setTimeout as sleep } from 'node:timers/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { msPerMinute, msPerSecond } from '../../workflows/contract/units.ts';
import { openOperationLog, readOperationLog } from '../images/operation-log.ts';
import { lastStep, lastWords, launcher, recipeFolder } from '../images/recipe/recipe-script.ts';
import type { Instance } from '../store/instances.ts';
import { GuestAgent } from './guest-agent.ts';
import { domainName, type HostContext } from './host-context.ts';

const agentTimeoutMs = 3 * msPerMinute;
const shutdownTimeoutMs = 30 * msPerSecond;
const lookEveryMs = 300;

/**
 * Runs the recipe that the guest sees as its second disk, and copies what that writes into the log of its operation.
 * The recipe runs on while nobody follows it; a repeat goes on where the log ends. Then the guest is shut down.
 * @throws CloudletError `recipe-failed` with the last words of the command, `guest-unresponsive` without an agent
 */
export async function runRecipe(
  context: HostContext,
  { serviceVmId, operationId }: Instance,
  tell: (percent: number, message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { hypervisor, paths } = context;
  const name = domainName(context, serviceVmId);
  const agent = new GuestAgent(hypervisor, name, signal);
  await agent.untilThere(agentTimeoutMs);
  await agent.start('/bin/sh', ['-c', launcher]);

  const status = await follow();
  if (status !== '0') {
    const log = (await readOperationLog(paths, operationId))?.toString('utf8') ?? '';
    const failed = lastStep(log);
    const what = failed ? `Command ${failed.step} of ${failed.total} (${failed.command})` : 'Laying out its files';
    throw new CloudletError(
      'recipe-failed',
      `${what} ended with status ${status}: ${lastWords(log)} The log says more: cloudlet operation log ${operationId}`,
    );
  }
  await shutDown();

  /** @returns what the recipe ended with */
  async function follow(): Promise<string> {
    await using log = await openOperationLog(paths, operationId);
    for (;;) {
      signal.throwIfAborted();
      // In this order: what was written before the status is in the log then.
      const status = await agent.read(`${recipeFolder}/status`);
      for (let more = await agent.read(`${recipeFolder}/log`, log.sizeBytes()); more && more.length > 0;) {
        await log.append(more);
        const reached = lastStep(more.toString('utf8'));
        if (reached) tell((100 * (reached.step - 1)) / reached.total, reached.command);
        more = await agent.read(`${recipeFolder}/log`, log.sizeBytes());
      }
      if (status) return status.toString('utf8').trim();
      if (!(await hypervisor.findDomain(name))?.running) {
        throw new CloudletError('recipe-failed', 'The guest ended while the recipe ran in it.');
      }
      await sleep(lookEveryMs, undefined, { signal });
    }
  }

  /** What it wrote is on its disk already; a guest that does not listen loses nothing. */
  async function shutDown(): Promise<void> {
    await hypervisor.shutdownDomain(name);
    const deadline = performance.now() + shutdownTimeoutMs;
    while ((await hypervisor.findDomain(name)) && performance.now() < deadline) await sleep(lookEveryMs, undefined, { signal });
  }
}
