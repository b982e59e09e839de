import 'server-only';
import { ApiError } from './api-error.ts';
import type { Operation, ServiceVm } from './bodies.ts';
import type { CloudletApi } from './cloudlet-api.ts';

/** An operation with what people call its subject. */
export interface NamedOperation extends Operation {
  /** Of the service that it is about. */
  readonly name: string;
  /** The instance that it is about, if it is about one. */
  readonly serviceVmId: string | null;
}

/** What an instance is one of never changes, so it is asked for once. */
const serviceOf = new Map<string, string>();
const maximumRemembered = 5_000;
const listLimit = 100;

function remember({ id, serviceId }: ServiceVm): void {
  if (serviceOf.size >= maximumRemembered) serviceOf.clear();
  serviceOf.set(id, serviceId);
}

/** Says of which service the instances are that these operations are about. */
export async function nameOperations(api: CloudletApi, operations: readonly Operation[]): Promise<readonly NamedOperation[]> {
  const unknown = () => [...new Set(operations.filter(isAboutServiceVm).map(({ subject }) => subject))].filter((id) => !serviceOf.has(id));
  if (unknown().length > 1) {
    const { serviceVms } = await api.serviceVms({ state: 'all', limit: listLimit });
    serviceVms.forEach(remember);
  }
  await Promise.all(unknown().map((id) => api.serviceVm(id).then(remember, ignoreMissing)));
  return operations.map((operation) => {
    const serviceVmId = isAboutServiceVm(operation) ? operation.subject : null;
    return { ...operation, serviceVmId, name: serviceVmId === null ? operation.subject : (serviceOf.get(serviceVmId) ?? 'Service VM') };
  });
}

const isAboutServiceVm = ({ kind }: Operation): boolean => kind.startsWith('service-vm.');

/** An instance may be forgotten before the operations that were about it. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof ApiError) || error.problem.code !== 'not-found') throw error;
}
