import { CancellationScope, ContinueAsNew, isCancellation } from '@temporalio/workflow';
import { describeFailure } from './contract/failure.ts';
import type { LeftByGuest, ServiceVmInput, ServiceVmOutcome, ServiceVmPurpose } from './contract/service-vm.ts';
import { ServiceVmLife } from './service-vm/life.ts';
import { editImage, runRecipe, saveReadyState } from './service-vm/make-image.ts';
import { serve } from './service-vm/serve.ts';
import { waitForClaim } from './service-vm/wait-for-claim.ts';

/** What an instance does once room is reserved for it. @returns what is to become an image */
const purposes: Readonly<Record<ServiceVmPurpose, (life: ServiceVmLife) => Promise<LeftByGuest | void>>> = {
  serve,
  warm: async (life) => {
    if (await waitForClaim(life)) await serve(life);
  },
  build: saveReadyState,
  edit: editImage,
  recipe: runRecipe,
};

/**
 * The life of one Service VM, from request to retirement. It lives as long as its instance: every running VM is one open
 * execution. Provisioning is a saga, and retiring is that same saga undone.
 */
export async function serviceVm(input: ServiceVmInput): Promise<ServiceVmOutcome> {
  const life = new ServiceVmLife(input);
  life.takeMessages();
  let left: LeftByGuest | undefined;
  try {
    if (input.carried) life.adoptSteps(input.carried.placement);
    else await life.reserve();
    left = (await purposes[input.purpose](life)) ?? undefined;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (isCancellation(error)) life.endReason ??= 'asked';
    else life.failure = describeFailure(error);
  }
  return CancellationScope.nonCancellable(() => life.end(left));
}
