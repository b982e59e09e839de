import { beforeAll, describe, it } from 'vitest';
import type { Workbench } from '../support/admin-operations.ts';
import { faultTitle, type Fault } from './fault-matrix.ts';
import { measureUsual, surviveFault, type Usual } from './survive-fault.ts';

/** Tries faults of starts and stops on one cloudlet, one after the other. */
export function surviveFaults(bench: () => Workbench, faults: readonly Fault[]): void {
  describe('kill -9 of', () => {
    let usual: Usual;
    beforeAll(async () => {
      usual = await measureUsual(bench().cloudlet, bench().echo);
    });

    it.each(faults.map((fault) => [faultTitle(fault), fault] as const))('%s', (_, fault) =>
      surviveFault(bench().cloudlet, bench().echo, usual, fault),
    );
  });
}
