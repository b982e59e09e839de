/** An operation: something that takes longer than a request. Its truth is a workflow; this is its name outside. */
import { Type, type Static } from 'typebox';

export const operationKinds = [
  'service-vm.start',
  'service-vm.stop',
  'service.build',
  'service.edit',
  'service.refresh',
  'service.import',
  'service.export',
  'service.remove',
  'image.verify',
  'app.install',
] as const;
export type OperationKind = (typeof operationKinds)[number];

export const operationStates = ['running', 'succeeded', 'failed', 'cancelled'] as const;
export type OperationState = (typeof operationStates)[number];

/** How far an operation is. Steps count from 1. */
export const Progress = Type.Object({
  phase: Type.String({ description: 'Name of the step that runs, e.g. restore' }),
  step: Type.Integer({ minimum: 0 }),
  steps: Type.Integer({ minimum: 0 }),
  message: Type.String({ description: 'What is being done, for people' }),
  percent: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  bytesDone: Type.Optional(Type.Integer({ minimum: 0 })),
  bytesTotal: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type Progress = Static<typeof Progress>;

/** Progress of a named operation: activities carry it, and one interceptor records it. */
export interface OperationProgress extends Progress {
  readonly operationId: string;
}
