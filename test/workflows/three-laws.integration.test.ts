import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakePlugin } from '../../plugins/runtime/test-support/fake-plugins.ts';
import { edits, justLooks, shutsItDown } from '../support/workflow-edits.ts';
import { failsForGood } from '../support/workflow-faults.ts';
import { installs, replacesAnApp } from '../support/workflow-installs.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { failsCleanlyAtEachCall, repeatsEachCall, unwindsUnderFaults, type Operation } from '../support/workflow-laws.ts';
import {
  builds,
  claims,
  fillsAndEmptiesAPool,
  isStopped,
  losesItsGuest,
  losesItsLastUser,
  reconciles,
  refreshes,
  removes,
  starts,
  verifies,
} from '../support/workflow-operations.ts';
import { exports, imports } from '../support/workflow-bundles.ts';

/** A new operation is held to the laws by a line of its own, here */
const ofInstances: readonly Operation[] = [
  { name: 'a start by cold boot, and its stop', prepare: starts({}, isStopped) },
  {
    name: 'a start by restore, and its stop',
    prepare: starts({ saved: true }, isStopped),
    survives: ['cloneDisk#1', 'restoreGuest#1', 'awaitGuest#1'],
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
    survives: ['claimGuest#1', 'cloneDisk#2', 'restoreGuest#2', 'awaitGuest#2'],
  },
  { name: 'an instance whose guest dies and comes back', prepare: starts({}, losesItsGuest), triedFrom: 'retireIfUnused#1' },
  { name: 'an instance that its last user leaves', prepare: starts({}, losesItsLastUser), triedFrom: 'retireIfUnused#1' },
];

/** or here, where a reconciliation must find no others under way. */
const ofHosts: readonly Operation[] = [
  { name: 'the build of a service from the catalogue, its state saved', prepare: builds('catalogue', true) },
  { name: "the build of a service from one's own disk", prepare: builds('disk', false) },
  { name: 'the removal of a service with its instances', prepare: removes(false), triedFrom: 'trashService#1' },
  { name: 'the removal of a service for good', prepare: removes(true), triedFrom: 'trashService#1' },
  { name: 'the build of a service by a recipe', prepare: builds('recipe', false), triedFrom: 'runRecipe#1' },
  { name: 'the editing of an image', prepare: edits(justLooks), survives: ['saveGuest#1'] },
  {
    name: 'the editing of an image whose guest is shut down',
    prepare: edits(shutsItDown),
    survives: ['saveDisk#1'],
    triedFrom: 'saveDisk#1',
  },
  {
    name: 'a warm pool that is filled and emptied',
    prepare: fillsAndEmptiesAPool,
    reconciles: true,
    survives: ['reserve#1', 'cloneDisk#1', 'restoreGuest#1', 'awaitGuest#1', 'pauseGuest#1', 'publishWarm#1'],
  },
  { name: 'the refresh of a saved state', prepare: refreshes },
  { name: 'the verification of all images', prepare: verifies, triedFrom: 'copiesToVerify#1', reconciles: true },
  { name: 'the import of a bundle', prepare: imports },
  { name: 'the export of a service', prepare: exports },
  { name: 'the install of an app', prepare: installs },
  { name: 'the install of a new file of an app', prepare: replacesAnApp },
  { name: 'the reconciliation of a host', prepare: reconciles, reconciles: true },
];

const laws = [
  { law: 'may fail and run twice at each call', complaintsOf: repeatsEachCall },
  { law: 'fails cleanly at each call', complaintsOf: failsCleanlyAtEachCall },
  { law: 'is undone although undos fail and run twice', complaintsOf: unwindsUnderFaults },
] as const;

let lab: WorkflowLab;

beforeAll(async () => {
  const listener = fakePlugin('listener', (registry) => {
    registry.on('serviceVm.ready', async () => undefined);
    registry.on('service.published', async () => undefined);
    registry.on('app.published', async () => undefined);
  });
  lab = await openWorkflowLab({ plugins: [listener] });
});
afterAll(() => lab?.close());

describe.concurrent.each(ofInstances)('$name', (operation) => {
  it.each(laws)('$law', async ({ complaintsOf }) => expect(await complaintsOf(lab, operation)).toEqual([]));
});

describe.each(ofHosts)('$name', (operation) => {
  it.each(laws)('$law', async ({ complaintsOf }) => expect(await complaintsOf(lab, operation)).toEqual([]));
});
