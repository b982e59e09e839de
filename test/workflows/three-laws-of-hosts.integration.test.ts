import { holdToLaws } from '../support/hold-to-laws.ts';
import { fillsAndEmptiesAPool, reconciles, verifies } from '../support/workflow-operations.ts';

/** What looks after a host, one at a time. */
holdToLaws([
  {
    name: 'a warm pool that is filled and emptied',
    prepare: fillsAndEmptiesAPool,
    reconciles: true,
    survives: ['reserve#1', 'cloneDisk#1', 'restoreGuest#1', 'pauseGuest#1', 'publishWarm#1'],
  },
  { name: 'the verification of all images', prepare: verifies, triedFrom: 'copiesToVerify#1', reconciles: true },
  { name: 'the reconciliation of a host', prepare: reconciles, reconciles: true },
]);
