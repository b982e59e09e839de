import type {
  ImageCopy,
  VerificationInput,
  VerificationOutcome,
  VerificationRecordActivities,
} from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { verifyImagesWorkflowId } from '../../workflows/contract/ids.ts';
import { Host } from './entities/host.ts';
import { Operation } from './entities/operation.ts';
import { isFresh } from './hosts.ts';
import { once, type Idempotency } from './idempotency.ts';
import { createOperation, settleOperation } from './operations.ts';
import type { Store } from './store.ts';

/** Admits a verification of all images. @throws CloudletError `operation-in-progress` while another one runs */
export async function admitVerification(
  store: Store,
  { principal, idempotency }: { readonly principal: string; readonly idempotency?: Idempotency },
): Promise<{ operationId: string; repeated: boolean }> {
  const workflowId = verifyImagesWorkflowId;
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 5))', [workflowId]);
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      const running = await em.findOne(Operation, { workflowId, state: 'running' });
      if (running) throw new CloudletError('operation-in-progress', 'All images are being verified already.', { operationId: running.id });
      return { operationId: createOperation(em, { kind: 'image.verify', workflowId, subject: 'images', principal }).id };
    });
    return { ...answer, repeated };
  });
}

/** The database's side of `verifyImages`. */
export const createVerificationActivities = ({ store }: { readonly store: Store }): VerificationRecordActivities => ({
  copiesToVerify: () => copiesToVerify(store),
  recordVerification: (input) => recordVerification(store, input),
});

async function copiesToVerify(store: Store): Promise<readonly ImageCopy[]> {
  const em = store.fork();
  const nowMs = store.clock.nowMs();
  const up = (await em.find(Host, {})).filter((host) => isFresh(host, nowMs)).map(({ id }) => id);
  const rows = await em.execute<{ host_id: string; sha256: string; kind: ImageCopy['kind']; size_bytes: string }[]>(
    `select l.host_id, i.sha256, i.kind, i.size_bytes from image_locations l join images i on i.id = l.image_id
     where l.host_id = any(?::uuid[]) order by i.created_at, l.host_id`,
    [`{${up.join(',')}}`],
  );
  return rows.map(({ host_id: hostId, sha256, kind, size_bytes: sizeBytes }) => ({ hostId, sha256, kind, sizeBytes: Number(sizeBytes) }));
}

/** Writes down how a host's copy of an image was found. One that nobody wants any more meanwhile is no matter. */
export async function recordImageState(
  store: Store,
  { hostId, sha256, damage }: Pick<ImageCopy, 'hostId' | 'sha256'> & { readonly damage: string | null },
): Promise<void> {
  const em = store.fork();
  // A state that is not what it was fits nowhere: instances boot cold until it is made anew.
  if (damage !== null) {
    await em.execute(
      `update service_images set saved_under = null where (select id from images where sha256 = ?) in (memory_id, saved_disk_id)`,
      [sha256],
    );
  }
  await em.execute(
    'update image_locations set verified_at = now(), damage = ? where host_id = ? and image_id = (select id from images where sha256 = ?)',
    [damage, hostId, sha256],
  );
}

async function recordVerification(
  store: Store,
  { operationId, outcome }: VerificationInput & { readonly outcome: VerificationOutcome },
): Promise<void> {
  await store.transaction(async (em) => void (await settleOperation(em, operationId, { state: 'succeeded', result: { ...outcome } })));
}
