import { listServices as listStored } from '../../activities/store/services.ts';
import { renewHeld } from '../../activities/store/leases.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { authorize } from '../auth/authorize.ts';
import { deviceOrAddress } from '../auth/principal-of.ts';
import { readMachine } from '../machine.ts';
import { pycloudApps } from './apps.ts';
import { isTrue, parameter } from './parameters.ts';
import type { PycloudHandler } from './pycloud.ts';
import { pycloudService } from './services.ts';

/** What phones rank cloudlets by. `speed` is a text, as the kernel wrote it; `cache` is in KiB. */
export const getSystem: PycloudHandler = async (context, request) => {
  await authorize(context, deviceOrAddress(request), 'cloudlet.read');
  const machine = await readMachine();
  const withServices = isTrue(parameter(request, 'services'));
  return {
    memory_info: { max_memory: machine.memoryTotalBytes, free_memory: machine.memoryFreeBytes },
    cpu_info: { max_cores: machine.cores, usage: machine.cpuPercent, speed: machine.cpuMhz, cache: machine.cacheKib },
    services: withServices ? (await listStored(context.store)).filter(({ image }) => image !== null).map(pycloudService) : undefined,
    apps: isTrue(parameter(request, 'apps')) ? await pycloudApps(context, request) : undefined,
  };
};

/**
 * Messages for a device. There are none yet, but asking says that the phone still uses its service: its lease goes on.
 */
export const getMessages: PycloudHandler = async (context, request) => {
  const principal = deviceOrAddress(request);
  if (principal.kind !== 'device') throw new CloudletError('invalid-input', 'Say which device: the header X-Device-ID is missing.');
  await authorize(context, principal, 'cloudlet.read');
  await renewHeld(context.store, principalName(principal), parameter(request, 'serviceId'));
  return { messages: [] };
};
