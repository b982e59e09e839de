import { describe, expect, it } from 'vitest';
import { canFollow, serviceVmStates } from '../../workflows/contract/service-vm.ts';
import type { ServiceVm } from './entities/service-vm.ts';
import { moveTo } from './service-vms.ts';

const inState = (state: ServiceVm['state']) => ({ state }) as ServiceVm;
const pairs = serviceVmStates.flatMap((from) => serviceVmStates.map((to) => [from, to] as const));

describe('moveTo', () => {
  it.each(pairs.filter(([from, to]) => from === to || canFollow(from, to)))('takes an instance from %s to %s', (from, to) => {
    const serviceVm = inState(from);
    moveTo(serviceVm, to);
    expect(serviceVm.state).toBe(to);
  });

  it.each(pairs.filter(([from, to]) => from !== to && !canFollow(from, to)))('refuses to take one from %s to %s', (from, to) => {
    const serviceVm = inState(from);
    expect(() => moveTo(serviceVm, to)).toThrow(
      expect.objectContaining({ code: 'state-conflict', facts: { state: from }, message: expect.stringContaining(`cannot become ${to}`) }),
    );
    expect(serviceVm.state).toBe(from);
  });
});
