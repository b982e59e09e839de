/** Instances that nobody uses: what comes of their guest becomes an image. Each returns what it left. */
import { condition, isCancellation } from '@temporalio/workflow';
import { onHost, records } from '../activities.ts';
import { describeFailure } from '../contract/failure.ts';
import type { LeftByGuest } from '../contract/service-vm.ts';
import { msPerHour } from '../contract/units.ts';
import type { ServiceVmLife } from './life.ts';

/** Of all commands together. */
const recipeTimeoutMs = 2 * msPerHour;

const hostOf = (life: ServiceVmLife, startToCloseTimeoutMs?: number) => onHost(life.placement!.hostId, startToCloseTimeoutMs);

/** A build saves the ready state of what it made. */
export function saveReadyState(life: ServiceVmLife): Promise<LeftByGuest> {
  const { serviceVmId } = life.input;
  return life.provision(async () => {
    await life.bringUp();
    await hostOf(life).warmUpGuest({ serviceVmId, progress: life.report('warm-up', 4, 'Warming up') });
    const progress = life.report('save', 5, 'Saving the ready state');
    return hostOf(life).saveGuest({ serviceVmId, bootId: life.bootId, progress });
  });
}

/** A recipe changes the disk that a build goes on with. */
export function runRecipe(life: ServiceVmLife): Promise<LeftByGuest> {
  const { serviceVmId } = life.input;
  return life.provision(async () => {
    await life.bringUp();
    await hostOf(life, recipeTimeoutMs).runRecipe({ serviceVmId, progress: life.report('recipe', 4, 'Running the recipe') });
    return hostOf(life).saveDisk({ serviceVmId, progress: life.report('keep', 5, 'Keeping the disk') });
  });
}

/** An admin works in it, for days perhaps. What cannot be saved is not lost: the admin makes room, and saves again. */
export function editImage(life: ServiceVmLife): Promise<LeftByGuest> {
  const { serviceVmId } = life.input;
  return life.provision(async () => {
    const started = await life.bringUp();
    const { vncPort } = await hostOf(life).findScreen({ serviceVmId });
    const awaitWish = async (message: string) => {
      life.toBeSaved = false;
      life.ready = await records.publishReady({ serviceVmId, ...started, vncPort, progress: life.report('edit', 4, message) });
      life.state = 'ready';
      await condition(() => life.toBeSaved);
    };
    await awaitWish('Ready to be edited');
    for (;;) {
      try {
        return await saveEdited(life);
      } catch (error) {
        if (isCancellation(error)) throw error;
        life.unsaved = describeFailure(error);
        await awaitWish(`It was not saved, and can be edited on. ${life.unsaved.detail}`);
      }
    }
  });
}

/** Of a guest that was shut down only the disk is left. */
function saveEdited(life: ServiceVmLife): Promise<LeftByGuest> {
  const save = { serviceVmId: life.input.serviceVmId, progress: life.report('save', 5, 'Saving what was edited') };
  return life.gone ? hostOf(life).saveDisk(save) : hostOf(life).saveGuest({ ...save, bootId: life.bootId });
}
