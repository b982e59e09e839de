import { CancellationScope, CancelledFailure, executeChild, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import { onHost, onHostUntilDone, records } from './activities.ts';
import type { BuildInput, BuildOutcome, PreparedDisk, RegisteredBuild } from './contract/activities.ts';
import { describeFailure } from './contract/failure.ts';
import { serviceVmWorkflowId } from './contract/ids.ts';
import type { ImageSource } from './contract/image-source.ts';
import type { OperationProgress } from './contract/operation.ts';
import { withImageSettings } from './contract/image-settings.ts';
import type { LeftByGuest, ServiceVmInput, ServiceVmPurpose } from './contract/service-vm.ts';
import { msPerHour } from './contract/units.ts';
import { applicationFailure } from './failures.ts';
import { raiseEvent } from './raise-event.ts';
import { Saga } from './saga.ts';
import { serviceVm } from './service-vm.ts';

const stepsOfInstance = 5;
/** prepare · (those of the instance that runs the recipe) · (those of the instance that is saved) · publish */
const stepsOf = ({ source, save, edit = false }: BuildInput): number =>
  2 + (source.kind === 'recipe' ? stepsOfInstance : 0) + (save || edit ? stepsOfInstance : 0);
const preparationTimeoutMs = msPerHour;
const preparing: Readonly<Record<ImageSource['kind'], string>> = {
  catalogue: 'Assembling the disk',
  disk: 'Checking the disk',
  upload: 'Checking the disk',
  pair: 'Checking the disk',
  service: 'Finding the image',
  container: 'Unpacking the container image',
  recipe: 'Preparing the base',
};

/**
 * Makes a new image of a service: a disk, and the memory of a guest that booted from it and is ready, so that instances
 * start by restore. Phones see the service once all of it is done; a build that fails leaves what was there before.
 */
export async function buildServiceImage(input: BuildInput): Promise<BuildOutcome> {
  const { operationId, spec, source, save, edit = false } = input;
  const { serviceId } = spec;
  const steps = stepsOf(input);
  const saga = new Saga();

  const report = (phase: string, step: number, message: string): OperationProgress => {
    setCurrentDetails(`${message}\n\nservice \`${serviceId}\``);
    return { operationId, phase, step, steps, message };
  };

  let hostId: string;
  let outcome: BuildOutcome;
  try {
    ({ hostId } = await records.chooseHost({}));
    let prepared: PreparedDisk = { diskId: '' };
    await saga.run({
      name: 'prepareDisk',
      run: async () => {
        const progress = report('prepare', 1, preparing[source.kind]);
        prepared = await onHost(hostId, preparationTimeoutMs).prepareDisk({ operationId, spec, source, progress });
      },
      undo: () => onHostUntilDone(hostId).discardPreparation({ operationId }),
    });

    const made: BuildInput = { ...input, spec: withImageSettings(spec, prepared, input.leftToImage) };
    let build: RegisteredBuild = { imageId: '', serviceVmId: '' };
    await saga.run({
      name: 'registerBuild',
      run: async () => {
        build = await records.registerBuild({ ...made, diskId: prepared.diskId });
      },
      undo: () => records.unregisterBuild(input),
    });

    const { imageId, serviceVmId, recipeVmId } = build;
    if (recipeVmId !== undefined) {
      const { diskId } = await leftByGuest(input, { serviceVmId: recipeVmId, purpose: 'recipe', within: { stepsBefore: 1, steps } });
      await records.replaceBuildDisk({ imageId, diskId });
    }
    const within = { stepsBefore: recipeVmId === undefined ? 1 : 1 + stepsOfInstance, steps };
    const purpose = edit ? 'edit' : 'build';
    const left = save || edit ? await leftByGuest(input, { serviceVmId, purpose, within }) : undefined;
    outcome = await records.publishServiceImage({
      ...made,
      imageId,
      ...(left ? { left } : {}),
      ...(prepared.notes ? { notes: prepared.notes } : {}),
      progress: report('publish', steps, 'Publishing'),
    });
  } catch (error) {
    const failure = isCancellation(error)
      ? ({
          code: 'cancelled',
          detail: edit ? `What was edited in "${serviceId}" was discarded.` : `The build of "${serviceId}" was cancelled.`,
          facts: {},
        } as const)
      : describeFailure(error);
    await saga.unwind();
    await CancellationScope.nonCancellable(() => records.recordBuildFailure({ ...input, failure })).catch(leftToReconcile);
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
  // Phones see it: nothing can fail or cancel the build any more.
  await CancellationScope.nonCancellable(async () => {
    await onHostUntilDone(hostId).discardPreparation({ operationId }).catch(leftToReconcile);
    await raiseEvent(['service.published'], 'service.published', { serviceId, version: outcome.version });
  });
  return outcome;
}

const leftToReconcile = (error: unknown): void => log.error('A build left something behind; the host is reconciled later', { error });

/** Why people see the instances of a build in Temporal UI. */
const summaries: Readonly<Partial<Record<ServiceVmPurpose, string>>> = {
  recipe: 'running the recipe of',
  edit: 'editing',
  build: 'saving the ready state of',
};

/** Runs an instance of the new image for what it leaves: once the recipe has run, its editor says so, or it is ready. */
async function leftByGuest(
  { operationId, spec: { serviceId } }: BuildInput,
  instance: Pick<ServiceVmInput, 'serviceVmId' | 'purpose' | 'within'>,
): Promise<LeftByGuest> {
  const { left } = await executeChild(serviceVm, {
    workflowId: serviceVmWorkflowId(instance.serviceVmId),
    args: [{ ...instance, serviceId, operationId }],
    staticSummary: `${summaries[instance.purpose]} ${serviceId}`,
  });
  // An instance that is cancelled ends like one that was stopped.
  if (!left && CancellationScope.current().consideredCancelled) throw new CancelledFailure('The build was cancelled');
  if (!left)
    throw applicationFailure({ code: 'state-conflict', detail: 'The instance was stopped before its state was saved.', facts: {} });
  return left;
}
