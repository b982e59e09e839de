import type { ServiceVmState } from '../../workflows/contract/service-vm.ts';

/** In which states an instance takes what (`serviceVmTransitions` of the contract); the API has the last word. */
const allowed: Readonly<Record<'hold' | 'stop', readonly ServiceVmState[]>> = {
  hold: ['ready'],
  stop: ['requested', 'provisioning', 'warm', 'ready', 'migrating'],
};

export const serviceVmCan = (action: keyof typeof allowed, state: ServiceVmState): boolean => allowed[action].includes(state);
