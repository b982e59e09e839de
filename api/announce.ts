import { hostname } from 'node:os';
import { discoveryAdvertise, type Advertisement, type Announcement } from '../plugins/runtime/extension-points.ts';
import type { ApiContext } from './context.ts';

/**
 * Tells the network that this cloudlet is here, through every discovery plugin. Phones split the name at spaces, and
 * take the first of several TXT keys for what they look for: so the name is the host's, and there is one key.
 * Never rejects: a cloudlet that cannot be found still serves those who know its address.
 */
export function announce(
  context: ApiContext,
  { port, networkInterface }: { port: number; networkInterface: string | undefined },
): Pick<Advertisement, 'withdraw'> {
  const announcement: Announcement = {
    type: '_cloudlet._tcp',
    name: hostname(),
    port,
    txt: { encryption: 'disabled' },
    ...(networkInterface === undefined ? {} : { networkInterface }),
  };
  const made = context.plugins.contributions(discoveryAdvertise).map(({ pluginId, contribution }) =>
    contribution.advertise(announcement).catch((error: unknown) => {
      context.log.warn({ plugin: pluginId, error }, 'The cloudlet is not announced');
      return undefined;
    }),
  );
  return {
    withdraw: async () => {
      for (const advertisement of await Promise.all(made)) await advertisement?.withdraw();
    },
  };
}
