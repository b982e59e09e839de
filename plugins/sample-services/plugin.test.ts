import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { ServiceSpec } from '../../workflows/contract/service.ts';
import { servicesCatalogue } from '../runtime/extension-points.ts';
import type { CatalogueService } from '../../workflows/contract/catalogue.ts';
import type { PluginRegistry } from '../runtime/plugin.ts';
import { plugin } from './plugin.ts';

const contributed: CatalogueService[] = [];
const registry: PluginRegistry = {
  contribute(point, contribution) {
    expect(point).toBe(servicesCatalogue);
    contributed.push(contribution as CatalogueService);
  },
  on: () => expect.unreachable(),
  lifecycle: () => expect.unreachable(),
};
plugin.register(registry, {});

test('contributes the echo and the OCR service', () => {
  expect(contributed.map(({ spec }) => spec.serviceId)).toEqual(['cloudlet.sample.echo', 'cloudlet.sample.ocr']);
});

test.each(contributed)('$spec.serviceId is described completely and consistently', ({ spec, warmUp }) => {
  expect([...Value.Errors(ServiceSpec, spec)]).toEqual([]);
  expect(spec.memory.minimumMib).toBeLessThanOrEqual(spec.memory.idealMib);
  const tcpPorts = spec.ports.filter(({ protocol }) => protocol === 'tcp').map(({ guestPort }) => guestPort);
  expect(spec.readiness).toMatchObject({ kind: 'http', guestPort: tcpPorts[0] });
  for (const { guestPort } of warmUp ?? []) expect(tcpPorts).toContain(guestPort);
});
