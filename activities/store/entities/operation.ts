import { defineEntity, p } from '@mikro-orm/core';
import { operationKinds, operationStates, type Progress } from '../../../workflows/contract/operation.ts';
import type { Problem } from '../../../workflows/contract/errors.ts';

/** What somebody asked for that takes longer than a request. Names the workflow that does it. */
const OperationSchema = defineEntity({
  name: 'Operation',
  tableName: 'operations',
  indexes: [{ properties: ['workflowId', 'state'] }, { properties: ['createdAt'] }],
  properties: {
    id: p.uuid().primary(),
    kind: p.enum(operationKinds),
    state: p.enum(operationStates),
    workflowId: p.text(),
    /** What it is about: the id of a Service VM, or the name of a service. */
    subject: p.text(),
    /** `principalName` of who asked. */
    principal: p.text(),
    progress: p.json<Progress>().strictNullable(),
    result: p.json<Record<string, unknown>>().strictNullable(),
    problem: p.json<Problem>().strictNullable(),
    createdAt: p.datetime().onCreate(() => new Date()),
    finishedAt: p.datetime().strictNullable(),
  },
});

export class Operation extends OperationSchema.class {}
OperationSchema.setClass(Operation);
