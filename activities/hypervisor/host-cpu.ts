import { createHash } from 'node:crypto';
import { DOMParser } from '@xmldom/xmldom';

/**
 * What libvirt's capabilities say of the host's CPU (https://libvirt.org/formatcaps.html), short enough for a name.
 * @returns its model and a digest of vendor, model and features, e.g. `Skylake-Client-IBRS 3f2a9c01d4e5`
 */
export function cpuOf(capabilitiesXml: string): string {
  const [cpu] = new DOMParser().parseFromString(capabilitiesXml, 'text/xml').getElementsByTagName('cpu');
  const text = (name: string): string => cpu?.getElementsByTagName(name)[0]?.textContent ?? '';
  const features = [...(cpu?.getElementsByTagName('feature') ?? [])].map((feature) => feature.getAttribute('name') ?? '').toSorted();
  const digest = createHash('sha256')
    .update([text('vendor'), text('model'), ...features].join('\n'))
    .digest('hex');
  return `${text('model')} ${digest.slice(0, 12)}`;
}
