import { holdToLaws } from '../support/hold-to-laws.ts';
import { exports, imports } from '../support/workflow-bundles.ts';
import { installs, replacesAnApp } from '../support/workflow-installs.ts';
import { removes } from '../support/workflow-operations.ts';

/** What services and apps go through beside that. */
holdToLaws([
  { name: 'the removal of a service with its instances', prepare: removes(false), triedFrom: 'trashService#1' },
  { name: 'the removal of a service for good', prepare: removes(true), triedFrom: 'trashService#1' },
  { name: 'the import of a bundle', prepare: imports },
  { name: 'the export of a service', prepare: exports },
  { name: 'the install of an app', prepare: installs },
  { name: 'the install of a new file of an app', prepare: replacesAnApp },
]);
