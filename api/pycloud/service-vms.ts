import { admitStart, type Admission } from '../../activities/store/admission.ts';
import { endHeld, holdsLease } from '../../activities/store/leases.ts';
import { findServiceVm } from '../../activities/store/service-vms.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { uuidPattern } from '../../workflows/contract/http.ts';
import { serviceIdPattern } from '../../workflows/contract/service.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { authorize } from '../auth/authorize.ts';
import { deviceOrAddress } from '../auth/principal-of.ts';
import type { ApiContext } from '../context.ts';
import { tellUsersLeft } from '../tell-users-left.ts';
import { isTrue, parameter } from './parameters.ts';
import type { PycloudHandler } from './pycloud.ts';

/** An instance that a phone was about to join can end at that moment; then it gets another. */
const joinAttempts = 3;

/** Starts a Service VM, or joins one, and answers when it does. */
export const startServiceVm: PycloudHandler = async (context, request) => {
  const principal = deviceOrAddress(request);
  const serviceId = parameter(request, 'serviceId');
  if (serviceId === undefined || serviceId === '') throw new CloudletError('invalid-input', 'Say which service: serviceId is missing.');
  await authorize(context, principal, 'service.start', { serviceId });
  const join = isTrue(parameter(request, 'join'));
  const holder = principalName(principal);
  for (let attempt = 1; ; attempt += 1) {
    const admission = await admit(context, { serviceId, holder, join });
    try {
      if (admission.state !== 'ready') await context.starter.awaitReady(admission);
      return await describe(context, admission.serviceVmId);
    } catch (error) {
      const ended = error instanceof CloudletError && error.code === 'state-conflict';
      if (!ended || !admission.joined || attempt === joinAttempts) throw error;
    }
  }
};

/** pycloud answers 400, not 404, to a service that it does not know. */
async function admit(context: ApiContext, request: { serviceId: string; holder: string; join: boolean }): Promise<Admission> {
  const unknown = () => new CloudletError('invalid-input', `There is no service "${request.serviceId}" on this cloudlet.`);
  if (!new RegExp(serviceIdPattern).test(request.serviceId)) throw unknown();
  try {
    return await admitStart(context.store, { ...request, dialect: 'pycloud' });
  } catch (error) {
    throw error instanceof CloudletError && error.code === 'not-found' ? unknown() : error;
  }
}

async function describe(context: ApiContext, serviceVmId: string) {
  const view = await findServiceVm(context.store, serviceVmId);
  const [main] = view?.ports ?? [];
  if (!view || !main || view.serviceVm.state !== 'ready') {
    throw new CloudletError('state-conflict', 'The Service VM ended just now. Start it again.', { state: 'ended' });
  }
  return {
    _id: serviceVmId,
    service_id: view.serviceId,
    running: true,
    port: main.hostPort,
    ip_address: view.address,
    vnc_address: null,
    ssh_port: view.ports.find(({ name }) => name === 'ssh')?.hostPort ?? 0,
    fqdn: null,
  };
}

/** Ends the caller's use; the last user to leave ends the instance. */
export const stopServiceVm: PycloudHandler = async (context, request) => {
  const principal = deviceOrAddress(request);
  const serviceVmId = parameter(request, 'instanceId')?.toLowerCase();
  if (serviceVmId === undefined || serviceVmId === '')
    throw new CloudletError('invalid-input', 'Say which instance: instanceId is missing.');
  const unknown = () => new CloudletError('not-found', `There is no running Service VM "${serviceVmId}".`);
  if (!new RegExp(uuidPattern).test(serviceVmId)) throw unknown();
  const view = await findServiceVm(context.store, serviceVmId);
  if (view?.serviceVm.state !== 'ready') throw unknown();
  const holder = principalName(principal);
  const owned = await holdsLease(context.store, view.serviceVm.id, holder);
  await authorize(context, principal, 'service-vm.stop', { owned, serviceId: view.serviceId });
  const left = await endHeld(context.store, view.serviceVm.id, holder);
  if (left?.users === 0) await tellUsersLeft(context, view.serviceVm.id);
  return {};
};
