import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Operation } from '../../activities/store/entities/operation.ts';
import { findService } from '../../activities/store/services.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { buildServiceImageWorkflowId } from '../../workflows/contract/ids.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { scriptedMachine, scriptedPorts } from '../support/workflow-host.ts';
import { eventually } from '../support/eventually.ts';
import { after, failsForGood, hangs, type CallKey, type FaultPlan } from '../support/workflow-faults.ts';
import { join, instanceOf, refusalOf } from '../support/workflow-instance.ts';
import { heldBy } from '../support/workflow-invariants.ts';
import { openWorkflowLab, type WorkflowLab } from '../support/workflow-lab.ts';
import { workflowOver } from '../support/workflow-operations.ts';
import { testSpec } from '../support/workflow-services.ts';

let lab: WorkflowLab;
beforeAll(async () => {
  lab = await openWorkflowLab();
});
afterAll(() => lab?.close());

const planOf = ({ serviceId }: ServiceSpec): FaultPlan => lab.faults.of(buildServiceImageWorkflowId(serviceId));
const begin = (spec: ServiceSpec) =>
  startBuild(lab.store, lab.client, { spec, save: true, source: { kind: 'catalogue', serviceId: spec.serviceId }, principal: 'test' });
const over = ({ serviceId }: ServiceSpec) => refusalOf(workflowOver(lab, buildServiceImageWorkflowId(serviceId)));
const cancel = ({ serviceId }: ServiceSpec) => lab.client.workflow.getHandle(buildServiceImageWorkflowId(serviceId)).cancel();
const held = (spec: ServiceSpec) => heldBy(lab, lab.faults.coveredBy(planOf(spec)));
const operation = (id: string) => lab.store.fork().findOneOrFail(Operation, { id });

describe.concurrent('a build', () => {
  const cancellable: readonly CallKey[] = ['prepareDisk#1', 'bootGuest#1', 'awaitGuest#1', 'saveGuest#1'];

  it.each(cancellable)('that is cancelled at %s leaves nothing, and says that it was cancelled', async (call) => {
    const spec = testSpec();
    planOf(spec).inject(call, hangs);
    const { operationId } = await begin(spec);
    await planOf(spec).reached(call);
    await cancel(spec);
    await over(spec);
    await eventually(async () => expect(await held(spec)).toEqual([]));
    expect(await operation(operationId)).toMatchObject({ state: 'cancelled', problem: { code: 'cancelled' } });
    expect(await findService(lab.store, spec.serviceId)).toBeNull();
  });

  it('that is published already cannot be cancelled', async () => {
    const spec = testSpec();
    planOf(spec).inject(
      'discardPreparation#1',
      after(() => cancel(spec)),
    );
    const { operationId } = await begin(spec);
    expect(await over(spec)).toBeUndefined();
    expect(await operation(operationId)).toMatchObject({ state: 'succeeded', result: { serviceId: spec.serviceId, version: 1 } });
    expect(await held(spec)).toEqual([]);
  });

  it('is one at a time for a service', async () => {
    const spec = testSpec();
    planOf(spec).inject('prepareDisk#1', hangs);
    await begin(spec);
    await planOf(spec).reached('prepareDisk#1');
    expect(await refusalOf(begin(spec))).toBe('operation-in-progress');
    await cancel(spec);
    await over(spec);
  });

  it('that fails leaves the service as it was; the next one makes its next version', async () => {
    const spec = testSpec();
    await begin(spec);
    await over(spec);
    planOf(spec).inject('saveGuest#2', failsForGood('capacity-exhausted'));
    await begin({ ...spec, version: '2' });
    expect(await over(spec)).toBe('capacity-exhausted');
    expect(await findService(lab.store, spec.serviceId)).toMatchObject({ spec: { version: '1' } });

    const instance = instanceOf(lab, await join(lab, spec.serviceId, 'device:first'));
    expect(await instance.awaitReady()).toMatchObject({ rung: 'restore' });
    await begin({ ...spec, version: '3' });
    expect(await over(spec)).toBeUndefined();
    expect(await findService(lab.store, spec.serviceId)).toMatchObject({ spec: { version: '3' } });
    expect(await instance.stop()).toMatchObject({ state: 'stopped' });
    expect(await held(spec)).toEqual([]);
  });

  it('of a container has the ports that its image exposes, unless its author named others', async () => {
    const [silent, outspoken] = [testSpec({ ports: [], readiness: { kind: 'none' } }), testSpec()];
    const source = { kind: 'container', file: 'own.tar' } as const;
    for (const spec of [silent, outspoken]) {
      await startBuild(lab.store, lab.client, { spec, save: true, source, principal: 'test' });
      expect(await over(spec)).toBeUndefined();
    }
    const { spec } = (await findService(lab.store, silent.serviceId))!;
    expect(spec).toMatchObject({ ports: scriptedPorts, readiness: { kind: 'tcp', guestPort: 80 } });
    expect((await findService(lab.store, outspoken.serviceId))!.spec).toMatchObject(outspoken);
  });

  it('of an OVA has the memory and processors of its machine, as far as its author named none', async () => {
    const spec = testSpec();
    const source = { kind: 'disk', file: 'own.ova', format: 'ova' } as const;
    await startBuild(lab.store, lab.client, { spec, leftToImage: ['memory'], save: true, source, principal: 'test' });
    expect(await over(spec)).toBeUndefined();
    expect((await findService(lab.store, spec.serviceId))!.spec).toEqual({ ...spec, memory: scriptedMachine.memory });
  });
});
