import { holdToLaws } from '../support/hold-to-laws.ts';
import { edits, justLooks, shutsItDown } from '../support/workflow-edits.ts';
import { builds, refreshes } from '../support/workflow-operations.ts';

/** What makes images. */
holdToLaws([
  { name: 'the build of a service from the catalogue, its state saved', prepare: builds('catalogue', true) },
  { name: "the build of a service from one's own disk", prepare: builds('disk', false) },
  { name: 'the build of a service by a recipe', prepare: builds('recipe', false), triedFrom: 'runRecipe#1' },
  { name: 'the editing of an image', prepare: edits(justLooks), survives: ['saveGuest#1'] },
  {
    name: 'the editing of an image whose guest is shut down',
    prepare: edits(shutsItDown),
    survives: ['saveDisk#1'],
    triedFrom: 'saveDisk#1',
  },
  { name: 'the refresh of a saved state', prepare: refreshes },
]);
