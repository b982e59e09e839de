import { listServices as listStored, findService } from '../../activities/store/services.ts';
import type { Service } from '../../activities/store/entities/service.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { authorize } from '../auth/authorize.ts';
import { deviceOrAddress } from '../auth/principal-of.ts';
import { objectId } from './object-id.ts';
import { parameter } from './parameters.ts';
import type { PycloudHandler } from './pycloud.ts';

/** A service as pycloud showed it: no port, no memory. */
export const pycloudService = ({ id, serviceId, spec }: Service) => ({
  _id: objectId(id),
  service_id: serviceId,
  description: spec.description,
  version: spec.version,
  tags: spec.tags,
});

export const listServices: PycloudHandler = async (context, request) => {
  await authorize(context, deviceOrAddress(request), 'service.list');
  const stored = await listStored(context.store);
  return { services: stored.filter(({ image }) => image !== null).map(pycloudService) };
};

export const getService: PycloudHandler = async (context, request) => {
  await authorize(context, deviceOrAddress(request), 'service.list');
  const serviceId = parameter(request, 'serviceId') ?? '';
  const service = await findService(context.store, serviceId);
  if (!service?.image) throw new CloudletError('not-found', `There is no service "${serviceId}" on this cloudlet.`);
  return pycloudService(service);
};
