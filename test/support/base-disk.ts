import { join } from 'node:path';
import { baseService } from '../../plugins/sample-services/base/base-service.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import { cachedDisk } from './cached-disk.ts';

/** The base for recipes, with a guest agent in it. @returns path of a qcow2 that nobody may write to */
export const baseDisk = (): Promise<string> =>
  cachedDisk({
    name: 'base',
    sources: join(checkoutDir, 'plugins', 'sample-services', 'base'),
    assemble: (context) => baseService.assemble(context),
  });
