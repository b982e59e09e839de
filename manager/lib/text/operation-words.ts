import type { OperationKind, OperationState } from '../../../workflows/contract/operation.ts';

interface Words {
  /** Begins a title: `Start demo.guest`. */
  readonly verb: string;
  /** While it runs: `Starting demo.guest`. */
  readonly doing: string;
  /** When it has succeeded: `demo.guest is ready`. */
  readonly done: string;
}

/** How each kind of operation is called; a kind without words does not compile. */
export const operationWords: Readonly<Record<OperationKind, Words>> = {
  'service-vm.start': { verb: 'Start', doing: 'Starting', done: 'is ready' },
  'service-vm.stop': { verb: 'Stop', doing: 'Stopping', done: 'has stopped' },
  'service.build': { verb: 'Build', doing: 'Building', done: 'is built' },
  'service.edit': { verb: 'Edit the image of', doing: 'Editing the image of', done: 'has a new image' },
  'service.refresh': { verb: 'Refresh', doing: 'Refreshing', done: 'is refreshed' },
  'service.import': { verb: 'Import', doing: 'Importing', done: 'is imported' },
  'service.export': { verb: 'Export', doing: 'Exporting', done: 'is exported' },
  'service.remove': { verb: 'Remove', doing: 'Removing', done: 'is removed' },
  'app.install': { verb: 'Install', doing: 'Installing', done: 'is installed' },
  'image.verify': { verb: 'Verify', doing: 'Verifying', done: 'is verified' },
};

/** @param name of the service that it is about */
export const operationTitle = (kind: OperationKind, name: string): string => `${operationWords[kind].verb} ${name}`;

export const operationDoing = (kind: OperationKind, name: string): string => `${operationWords[kind].doing} ${name}`;

/** What is announced when an operation has ended. */
export function operationOutcome(kind: OperationKind, state: Exclude<OperationState, 'running'>, name: string): string {
  switch (state) {
    case 'succeeded':
      return `${name} ${operationWords[kind].done}`;
    case 'failed':
      return `${operationTitle(kind, name)} failed`;
    case 'cancelled':
      return `${operationTitle(kind, name)} was cancelled`;
  }
}
