import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import { formatDuration } from '../../workflows/contract/units.ts';
import type { Instance } from '../store/instances.ts';
import { domainName, type HostContext } from './host-context.ts';
import { activeFlows, parseUsernet } from './usernet.ts';

const quickMs = 150;
/**
 * A restored guest answers the first attempt, a quick one, and is asked nothing more. Others are made one after the other in two lanes. A connection made before the guest listens may stay silent for
 * seconds after it does, so the quick lane gives up soon and asks anew; a service that is slow to answer is asked by the
 * patient one. No more than that: every connection costs a booting guest time.
 */
const lanes: readonly ((elapsedMs: number) => number)[] = [() => quickMs, (elapsedMs) => Math.max(1_000, elapsedMs / 4)];
/** Between an attempt that was refused at once and the next. */
const pauseMs = 20;
const usernetEveryMs = 50;

/**
 * Waits until the application in the guest of an instance answers. A TCP connection proves nothing, since QEMU accepts it
 * before anything listens in the guest: either HTTP was spoken, or QEMU says that the guest itself took the connection.
 * @throws CloudletError `guest-unresponsive`
 */
export async function awaitInstance(
  context: HostContext,
  { serviceVmId, spec: { readiness: probe }, ports }: Instance,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (probe.kind === 'none') return;
  const port = ports.find(({ guestPort, protocol }) => guestPort === probe.guestPort && protocol === 'tcp');
  if (!port)
    throw new CloudletError(
      'invalid-input',
      `The readiness probe asks guest port ${probe.guestPort}, which is not a TCP port of the service.`,
    );

  /** QEMU's table of the guest's connections. */
  const usernet = () => context.hypervisor.monitor(domainName(context, serviceVmId), 'info usernet');
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const attempt: Attempt =
    probe.kind === 'http'
      ? (withinMs) => answersHttp(port.hostPort, probe.path, withinMs, stop)
      : (withinMs) => acceptsTcp(port, usernet, withinMs, stop);
  try {
    const answered = await firstSuccess(attempt, timeoutMs, stop);
    signal.throwIfAborted();
    if (answered) return;
  } finally {
    over.abort();
  }
  throw new CloudletError(
    'guest-unresponsive',
    `The guest did not answer ${probe.kind === 'http' ? `GET ${probe.path}` : 'a connection'} on its port ${probe.guestPort} within ${formatDuration(timeoutMs)}. Its serial log says how far it came: cloudlet vm logs.`,
  );
}

/** One try, given up after `withinMs`. Never rejects. */
type Attempt = (withinMs: number) => Promise<boolean>;

/** Makes attempts until one succeeds. @returns false when the time is up */
async function firstSuccess(attempt: Attempt, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  let succeeded = await attempt(quickMs);
  const isOver = () => succeeded || signal.aborted || elapsedMs() >= timeoutMs;
  const inLane = async (withinMs: (elapsedMs: number) => number): Promise<void> => {
    while (!isOver()) {
      if (await attempt(withinMs(elapsedMs()))) succeeded = true;
      else await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  // The first lane that ends ends the wait: the other's last attempt is aborted by the caller.
  await Promise.race(lanes.map(inLane));
  return succeeded;
}

function answersHttp(hostPort: number, path: string, withinMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: hostPort, path, agent: false, signal, timeout: withinMs }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

async function acceptsTcp(
  { hostPort, guestPort }: PortMapping,
  usernet: () => Promise<string>,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port: hostPort, signal });
  socket.on('error', () => undefined);
  try {
    const deadline = performance.now() + withinMs;
    while (!signal.aborted && performance.now() < deadline) {
      await sleep(usernetEveryMs);
      const flows = activeFlows(parseUsernet(await usernet()));
      if (flows.some(({ protocol, destinationPort }) => protocol === 'tcp' && destinationPort === guestPort)) return true;
    }
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
