import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { Placement } from '../../workflows/contract/service-vm.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { Host } from './entities/host.ts';
import { PortReservation } from './entities/port-reservation.ts';
import type { ServiceImage } from './entities/service.ts';
import { ServiceVm } from './entities/service-vm.ts';
import { isFresh, memoryLeftMib } from './hosts.ts';
import { reservePorts, type PortRange } from './ports.ts';
import { lockServiceVm, moveTo } from './service-vms.ts';
import { savedStateOf, startOptions, type StartOption } from './start-options.ts';
import type { Store } from './store.ts';
import { givenBackFirst, heldMib, lockGivenBackFirst, retire } from './warm-service-vms.ts';

/**
 * Gives an instance a host, memory and ports there, all or nothing. Where memory is short, warm instances are retired:
 * they must be gone before this one is started. Repeating it answers what the instance holds.
 * @throws CloudletError `capacity-exhausted` saying what was needed and what is free, `hypervisor-unavailable`,
 *   `state-conflict` when the instance was stopped meanwhile
 */
export async function reserve(store: Store, serviceVmId: string, range: PortRange): Promise<Omit<Placement, 'events'>> {
  return store.transaction(async (em) => {
    const serviceVm = await lockServiceVm(em, serviceVmId);
    // Not in one with the lock, which would be on all of their rows: whoever starts the same service would wait.
    await em.populate(serviceVm, ['service.image', 'image']);
    const service = serviceVm.service.getEntity();
    // What its service is by now; an instance that has an image already keeps what goes with it.
    const { spec } = serviceVm.image ? serviceVm : service;
    const image = serviceVm.image?.getEntity() ?? service.image?.getEntity();
    if (!image) throw new CloudletError('state-conflict', `The service "${spec.serviceId}" has no image.`, { state: 'unbuilt' });
    const hosts = await em.find(Host, {}, { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } });

    const heldHost = serviceVm.host && serviceVm.memoryMib > 0 ? hosts.find(({ id }) => id === serviceVm.host!.id) : undefined;
    const choice = heldHost
      ? { host: heldHost, option: optionFor(spec, image, heldHost, serviceVm.memoryMib), retired: [] }
      : await chooseHost(em, { spec, image, hosts, nowMs: store.clock.nowMs() });
    // A warm instance has its memory before its workflow begins.
    if (!heldHost || serviceVm.state === 'requested') moveTo(serviceVm, 'provisioning');
    if (!heldHost) {
      await retire(em, choice.retired);
      Object.assign(serviceVm, { host: choice.host, image, spec, memoryMib: choice.option.memoryMib, vcpus: spec.vcpus });
    }
    const ports = await reservePorts(em, serviceVm, choice.host, spec, range);
    return {
      hostId: choice.host.id,
      memoryMib: choice.option.memoryMib,
      vcpus: spec.vcpus,
      ports,
      rungs: choice.option.rungs,
      readinessTimeoutMs: spec.readiness.kind === 'none' ? msPerSecond : spec.readiness.timeoutSeconds * msPerSecond,
      restartPolicy: spec.restartPolicy,
      ...(choice.retired.length > 0 ? { retired: choice.retired.map(({ id }) => id) } : {}),
    };
  });
}

function optionFor(spec: ServiceSpec, image: ServiceImage, host: Host, memoryMib: number): StartOption {
  const options = startOptions(spec, savedStateOf(image), host.fingerprint);
  return options.find((option) => option.memoryMib === memoryMib) ?? { memoryMib, rungs: ['cold-boot'] };
}

interface Choice {
  readonly host: Host;
  readonly option: StartOption;
  readonly retired: readonly ServiceVm[];
}

interface Wanted {
  readonly spec: ServiceSpec;
  readonly image: ServiceImage;
  readonly hosts: readonly Host[];
  readonly nowMs: number;
}

/** Warm instances are locked only where their memory is needed: those that are locked, nobody can claim. */
async function chooseHost(em: EntityManager, wanted: Wanted): Promise<Choice> {
  const choice = await chooseAmong(em, wanted, givenBackFirst);
  return choice.retired.length === 0 ? choice : chooseAmong(em, wanted, lockGivenBackFirst);
}

async function chooseAmong(em: EntityManager, { spec, image, hosts, nowMs }: Wanted, warmOf: typeof givenBackFirst): Promise<Choice> {
  const usable = hosts.filter((host) => isFresh(host, nowMs) && host.hypervisorProblem === null);
  if (usable.length === 0) {
    const problem = hosts.find((host) => host.hypervisorProblem)?.hypervisorProblem;
    throw new CloudletError('hypervisor-unavailable', problem ?? 'No host of this cloudlet is up. Start one, or wait until it answers.', {
      retryAfterSeconds: 5,
    });
  }
  const withRoom: { host: Host; leftMib: number; warm: ServiceVm[] }[] = [];
  for (const host of usable) withRoom.push({ host, leftMib: await memoryLeftMib(em, host), warm: await warmOf(em, host.id) });
  const roomiest = withRoom.toSorted((a, b) => b.leftMib - a.leftMib);
  if (spec.vcpus > Math.max(...usable.map(({ vcpus }) => vcpus))) {
    const most = Math.max(...usable.map(({ vcpus }) => vcpus));
    throw new CloudletError('capacity-exhausted', `"${spec.serviceId}" needs ${spec.vcpus} vCPUs; the largest host here has ${most}.`, {
      resource: 'vcpu',
      needed: spec.vcpus,
      free: most,
    });
  }
  // The best way to start comes before the best host: a restore on the second host beats a cold boot on the first.
  const candidates = roomiest
    .flatMap(({ host, leftMib, warm }) =>
      startOptions(spec, savedStateOf(image), host.fingerprint).flatMap((option) => {
        const retired = toMakeRoom(warm, option.memoryMib - leftMib);
        return retired && host.vcpus >= spec.vcpus ? [{ host, option, retired }] : [];
      }),
    )
    .toSorted(
      (a, b) =>
        Number(restores(b.option)) - Number(restores(a.option)) ||
        b.option.memoryMib - a.option.memoryMib ||
        a.retired.length - b.retired.length,
    );
  if (candidates[0]) return candidates[0];
  const needed = Math.min(spec.memory.minimumMib, spec.memory.idealMib);
  const free = Math.max(0, ...withRoom.map(({ leftMib, warm }) => leftMib + heldMib(warm)));
  throw new CloudletError(
    'capacity-exhausted',
    `"${spec.serviceId}" needs ${needed} MiB of memory; ${free} MiB are free. Stop a Service VM, or ask again when one has ended.`,
    { resource: 'memory', needed, free, retryAfterSeconds: 30 },
  );
}

/** @returns as few as will do, in their order; undefined where all of them are not enough */
function toMakeRoom(warm: readonly ServiceVm[], missingMib: number): readonly ServiceVm[] | undefined {
  for (let count = 0; count <= warm.length; count += 1) {
    const retired = warm.slice(0, count);
    if (heldMib(retired) >= missingMib) return retired;
  }
  return undefined;
}

const restores = ({ rungs }: StartOption): boolean => rungs.includes('restore');

/** Undo of `reserve`: the instance holds no memory and no port any more. Repeating it changes nothing. */
export async function release(store: Store, serviceVmId: string): Promise<void> {
  await store.transaction(async (em) => {
    await em.nativeUpdate(ServiceVm, { id: serviceVmId }, { memoryMib: 0, vcpus: 0 });
    await em.nativeDelete(PortReservation, { serviceVm: serviceVmId });
  });
}
