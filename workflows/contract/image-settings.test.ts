import { expect, it } from 'vitest';
import { completeSpec } from './complete-spec.ts';
import { leftToImage, withImageSettings } from './image-settings.ts';

const port = { name: 'http', protocol: 'tcp', guestPort: 80 } as const;
const machine = { description: 'An appliance', vcpus: 4, memory: { minimumMib: 2048, idealMib: 2048 } };

it('has its way where the author of a service named nothing, and nowhere else', () => {
  const given = { serviceId: 'my.service', ports: [port], vcpus: 1 };
  const spec = completeSpec(given);
  expect(leftToImage(given)).toEqual(['description', 'memory']);
  expect(withImageSettings(spec, { machine }, leftToImage(given))).toEqual({ ...spec, ...machine, vcpus: 1 });
  expect(withImageSettings(spec, { machine })).toEqual(spec);
  expect(withImageSettings(spec, { machine: { vcpus: 2 } }, ['memory', 'vcpus'])).toEqual({ ...spec, vcpus: 2 });
});

it('has its ports, and a probe of the first, where the author named none', () => {
  const spec = completeSpec({ serviceId: 'my.service' }, { portsFromImage: true });
  expect(withImageSettings(spec, { ports: [port] })).toMatchObject({ ports: [port], readiness: { kind: 'tcp', guestPort: 80 } });
  const own = completeSpec({ serviceId: 'my.service', ports: [{ ...port, guestPort: 81 }] });
  expect(withImageSettings(own, { ports: [port] })).toEqual(own);
});
