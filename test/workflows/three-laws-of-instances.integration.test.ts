import { holdToLaws } from '../support/hold-to-laws.ts';
import { failsForGood } from '../support/workflow-faults.ts';
import { claims, isStopped, losesItsGuest, losesItsLastUser, starts } from '../support/workflow-operations.ts';

/** Side by side: none of them touches what the others hold. */
holdToLaws(
  [
    { name: 'a start by cold boot, and its stop', prepare: starts({}, isStopped) },
    {
      name: 'a start by restore, and its stop',
      prepare: starts({ saved: true }, isStopped),
      survives: ['cloneDisk#1', 'restoreGuest#1'],
    },
    {
      name: 'a start that falls from restore to cold boot',
      prepare: starts({ saved: true }, isStopped),
      planted: { 'restoreGuest#1': failsForGood('hypervisor-refused') },
      survives: ['cloneDisk#1', 'restoreGuest#1'],
    },
    {
      name: 'a start that claims a warm instance, and its stop',
      prepare: claims({ saved: true }, isStopped),
      triedFrom: 'claimGuest#1',
      survives: ['claimGuest#1'],
    },
    {
      name: 'a claim that falls to the next rung',
      prepare: claims({ saved: true }, isStopped),
      planted: { 'claimGuest#1': failsForGood('guest-unresponsive') },
      triedFrom: 'claimGuest#1',
      survives: ['claimGuest#1', 'cloneDisk#2', 'restoreGuest#2'],
    },
    { name: 'an instance whose guest dies and comes back', prepare: starts({}, losesItsGuest), triedFrom: 'retireIfUnused#1' },
    { name: 'an instance that its last user leaves', prepare: starts({}, losesItsLastUser), triedFrom: 'retireIfUnused#1' },
  ],
  { concurrent: true },
);
