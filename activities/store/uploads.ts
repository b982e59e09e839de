import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { Upload } from './entities/upload.ts';
import type { PageStart } from './page-start.ts';
import type { Store } from './store.ts';

export type NewUpload = Pick<Upload, 'fileName' | 'sizeBytes' | 'metadata' | 'declaredSha256'>;

/** Writes down an upload of which nothing came yet. */
export async function createUpload(store: Store, id: string, upload: NewUpload): Promise<void> {
  await store.transaction(async (em) => {
    em.create(Upload, { ...upload, id, sha256: null, operationId: null, touchedAtMs: store.clock.nowMs(), createdAt: new Date() });
  });
}

export const findUpload = (store: Store, id: string): Promise<Upload | null> => store.fork().findOne(Upload, { id });

/** The latest first. */
export const listUploads = (store: Store, { before, limit }: { before?: PageStart; limit: number }): Promise<Upload[]> =>
  store.fork().find(Upload, before ? { $or: [{ createdAt: { $lt: before.at } }, { createdAt: before.at, id: { $lt: before.id } }] } : {}, {
    orderBy: { createdAt: 'desc', id: 'desc' },
    limit,
  });

export const allUploads = (store: Store): Promise<Upload[]> => store.fork().find(Upload, {});

/** Says that bytes still come, so that it does not expire. */
export async function touchUpload(store: Store, id: string): Promise<void> {
  await store.fork().nativeUpdate(Upload, { id }, { touchedAtMs: store.clock.nowMs() });
}

/** All bytes are there, and are those that were declared: from now on an operation may claim it. */
export async function completeUpload(store: Store, id: string, sha256: string): Promise<void> {
  await store.fork().nativeUpdate(Upload, { id, sha256: null }, { sha256, touchedAtMs: store.clock.nowMs() });
}

/** Removes the row; its file must be gone before. */
export async function forgetUpload(store: Store, id: string): Promise<void> {
  await store.fork().nativeDelete(Upload, { id });
}

/** A file that an operation has to itself. */
export interface ClaimedUpload {
  readonly id: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Verified when it came. */
  readonly sha256: string;
}

/**
 * Gives an upload to an operation, inside the caller's transaction; nobody else gets it until it is released. Repeating
 * it changes nothing.
 * @throws CloudletError `not-found`, `state-conflict` while bytes are missing, `operation-in-progress` when another has it
 */
export async function claimUpload(em: EntityManager, uploadId: string, operationId: string): Promise<ClaimedUpload> {
  const upload = await em.findOne(Upload, { id: uploadId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!upload) throw noUpload(uploadId);
  const { id, fileName, sizeBytes, sha256 } = upload;
  if (sha256 === null) {
    throw new CloudletError('state-conflict', `The upload "${fileName}" is not complete yet. Send the rest of it first.`, {
      state: 'receiving',
    });
  }
  if (upload.operationId !== null && upload.operationId !== operationId) {
    throw new CloudletError('operation-in-progress', `Another operation works on the upload "${fileName}".`, {
      operationId: upload.operationId,
    });
  }
  await em.nativeUpdate(Upload, { id }, { operationId });
  return { id, fileName, sizeBytes, sha256 };
}

export const noUpload = (uploadId: string): CloudletError =>
  new CloudletError('not-found', `There is no upload ${uploadId}. It may have expired, or have been used already; send the file again.`);

/** Undo of `claimUpload`: others may have it again. */
export async function releaseUploads(store: Store, operationId: string): Promise<void> {
  await store.fork().nativeUpdate(Upload, { operationId }, { operationId: null, touchedAtMs: store.clock.nowMs() });
}

/** Ids of what an operation has to itself. */
export async function uploadsOf(store: Store, operationId: string): Promise<string[]> {
  return (await store.fork().find(Upload, { operationId })).map(({ id }) => id);
}

/** Releases uploads whose operation is over and did not say so. */
export async function releaseLostUploads(store: Store): Promise<void> {
  await store.fork().execute(
    `update uploads u set operation_id = null
     where operation_id is not null and not exists (select 1 from operations o where o.id = u.operation_id and o.state = 'running')`,
  );
}
