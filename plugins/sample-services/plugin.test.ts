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

test('contributes the echo and the OCR service, and a base for recipes', () => {
  const names = (base: boolean) => contributed.filter((each) => (each.base ?? false) === base).map(({ spec }) => spec.serviceId);
  expect(names(false)).toEqual(['cloudlet.sample.echo', 'cloudlet.sample.ocr']);
  expect(names(true)).toEqual(['cloudlet.base.debian']);
});

test.each(contributed)('$spec.serviceId is described completely and consistently', ({ spec, warmUp, base = false }) => {
  expect([...Value.Errors(ServiceSpec, spec)]).toEqual([]);
  expect(spec.memory.minimumMib).toBeLessThanOrEqual(spec.memory.idealMib);
  const tcpPorts = spec.ports.filter(({ protocol }) => protocol === 'tcp').map(({ guestPort }) => guestPort);
  expect(spec.readiness).toMatchObject(base ? { kind: 'none' } : { kind: 'http', guestPort: tcpPorts[0] });
  for (const { guestPort } of warmUp ?? []) expect(tcpPorts).toContain(guestPort);
});
