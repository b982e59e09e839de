import { describe, expect, it } from 'vitest';
import type { Service, ServiceVm } from './bodies.ts';
import type { NamedOperation } from './service-names.ts';
import { serviceRows } from './service-rows.ts';

// Only what rows are made by matters here.
const service = (serviceId: string) => ({ serviceId }) as Service;
const serviceVm = (id: string, serviceId: string) => ({ id, serviceId }) as ServiceVm;
const build = (subject: string) => ({ id: `build ${subject}`, subject }) as NamedOperation;

describe('serviceRows', () => {
  it('puts together what belongs to one service, by name', () => {
    const rows = serviceRows([service('b'), service('a')], [serviceVm('1', 'b'), serviceVm('2', 'b')], [build('a')]);
    expect(rows.map(({ serviceId, running, build }) => [serviceId, running.map(({ id }) => id), build?.id])).toEqual([
      ['a', [], 'build a'],
      ['b', ['1', '2'], undefined],
    ]);
  });

  it('has a row for what is still being built for the first time', () => {
    expect(serviceRows([], [], [build('new')])).toEqual([{ serviceId: 'new', service: undefined, running: [], build: build('new') }]);
  });
});
