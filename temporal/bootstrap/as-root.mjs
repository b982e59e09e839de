import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Refusal } from './step.mjs';

/** Variables that may carry settings: sudo would drop them. */
const keptNames = ['DATABASE_URL', 'LIBVIRT_URI', 'DBUS_SYSTEM_BUS_ADDRESS', 'NODE_COMPILE_CACHE', 'CI', 'NO_COLOR', 'FORCE_COLOR'];
const keptPrefixes = ['CLOUDLET_', 'TEMPORAL_', 'PIP_'];

/**
 * libvirt, namespaces and Debian's packages need root.
 *
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} environment what the program is to find in its own
 * @returns {string[]} what runs it as root
 */
export function asRoot(argv, environment = process.env) {
  if (process.getuid() === 0) return argv;
  const isThere = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'sudo')));
  if (!isThere)
    throw new Refusal('This needs root: libvirt and Debian packages do. Run it as root, or install sudo and let this user use it.');
  const kept = Object.keys(environment).filter(
    (name) => keptNames.includes(name) || keptPrefixes.some((prefix) => name.startsWith(prefix)),
  );
  return ['sudo', ...(kept.length > 0 ? [`--preserve-env=${kept.join(',')}`] : []), '--', ...argv];
}
