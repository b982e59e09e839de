import type { StartRung } from '../../../workflows/contract/service-vm.ts';
import type { Service, ServiceVm } from '../api/bodies.ts';
import { formatMib } from './format-quantity.ts';

/** How each rung of the start ladder is called. */
const rungNames: Readonly<Record<StartRung, string>> = {
  join: 'Join',
  claim: 'Claim',
  restore: 'Restore',
  'cold-boot': 'Cold boot',
};

/** @param rung as the API says it, which may be newer than we are; null until the instance is ready */
export const rungName = (rung: string | null): string => Object.entries(rungNames).find(([known]) => known === rung)?.[1] ?? rung ?? '–';

export interface StartCost {
  /** What a start would do, and what it would take. */
  readonly text: string;
  /** Set when a start is likely to be refused, with the reason. */
  readonly warning?: string;
}

/**
 * What starting a service costs now.
 * @param running instances of it that live
 */
export function startCost(service: Service, running: readonly ServiceVm[], memoryFreeMib: number): StartCost {
  const joinable = running.some(
    ({ state, users }) => ['requested', 'provisioning', 'ready'].includes(state) && users < service.maximumUsers,
  );
  if (service.sharing === 'join' && joinable) return { text: 'Joins the one that runs, at no cost' };
  const rung = service.startsBy.find((name) => name !== 'join');
  const text = `${rung === undefined ? 'Takes' : `${rungNames[rung]}, takes`} ${formatMib(service.memory.idealMib)}`;
  if (service.memory.minimumMib > memoryFreeMib) {
    return { text, warning: `Needs ${formatMib(service.memory.minimumMib)}; ${formatMib(memoryFreeMib)} is free` };
  }
  return { text };
}
