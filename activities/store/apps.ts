import { randomUUID } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AppRecordActivities } from '../../workflows/contract/activities.ts';
import type { AppChange, InstallInput, InstallOutcome, PreparedApp } from '../../workflows/contract/app.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { installAppWorkflowId } from '../../workflows/contract/ids.ts';
import { App } from './entities/app.ts';
import { Operation } from './entities/operation.ts';
import { Service } from './entities/service.ts';
import { requireTag, type IfMatch } from './entity-tag.ts';
import { appendEvent } from './events.ts';
import { once, type Idempotency } from './idempotency.ts';
import { createOperation, settleOperation } from './operations.ts';
import type { Store } from './store.ts';
import { claimUpload } from './uploads.ts';

/** By name; where tags are given, those that have any of them. */
export async function listApps(store: Store, { tags, serviceId }: { tags?: readonly string[]; serviceId?: string } = {}): Promise<App[]> {
  const apps = await store.fork().find(App, serviceId === undefined ? {} : { serviceId }, { orderBy: { name: 'asc' } });
  return tags === undefined ? apps : apps.filter((app) => app.tags.some((tag) => tags.includes(tag)));
}

export const findApp = (store: Store, id: string): Promise<App | null> => store.fork().findOne(App, { id });

export const noApp = (appId: string): CloudletError =>
  new CloudletError('not-found', `There is no app "${appId}" on this cloudlet. GET /v1/apps lists those there are.`);

export interface InstallRequest extends Omit<InstallInput, 'operationId' | 'appId'> {
  /** The app whose file is replaced; absent for a new one. */
  readonly appId?: string;
  /** `principalName` of who asked. */
  readonly principal: string;
  readonly idempotency?: Idempotency;
}

/**
 * Admits the install of an app, which has the upload to itself from now on.
 * @throws CloudletError `not-found`, `state-conflict`, `operation-in-progress` of the upload; `not-found` of the app or
 *   its service; `name-taken`
 */
export async function admitInstall(
  store: Store,
  { appId, uploadId, metadata, principal, idempotency }: InstallRequest,
): Promise<{ operationId: string; appId: string; repeated: boolean }> {
  return store.transaction(async (em) => {
    const { answer, repeated } = await once(em, principal, idempotency, async () => {
      if (appId !== undefined) await refuseBusy(em, appId);
      await refuseUnknownService(em, metadata.serviceId);
      if (metadata.name !== undefined) await refuseTakenName(em, appId, metadata.name);
      const subject = appId ?? randomUUID();
      const { id } = createOperation(em, { kind: 'app.install', workflowId: installAppWorkflowId(subject), subject, principal });
      await claimUpload(em, uploadId, id);
      return { operationId: id, appId: subject };
    });
    return { ...answer, repeated };
  });
}

async function refuseBusy(em: EntityManager, appId: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 6))', [appId]);
  if ((await em.count(App, { id: appId })) === 0) throw noApp(appId);
  const running = await em.findOne(Operation, { subject: appId, state: 'running' });
  if (running)
    throw new CloudletError('operation-in-progress', 'The file of this app is being replaced already.', { operationId: running.id });
}

async function refuseUnknownService(em: EntityManager, serviceId: string | null | undefined): Promise<void> {
  if (serviceId === null || serviceId === undefined) return;
  if ((await em.count(Service, { serviceId, trashedBy: null })) > 0) return;
  throw new CloudletError(
    'not-found',
    `There is no service "${serviceId}" that the app could be a client of. Make it first, or leave it out.`,
  );
}

async function refuseTakenName(em: EntityManager, appId: string | undefined, name: string): Promise<void> {
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('app-names', 6))`);
  const other = await em.findOne(App, { name });
  if (!other || other.id === appId) return;
  throw new CloudletError(
    'name-taken',
    `There is an app "${name}" already, and phones tell apps apart by name. Give this one another, or replace the file of that one (${other.id}).`,
  );
}

/** The database's side of `installApp`. */
export const createAppRecordActivities = ({ store }: { readonly store: Store }): AppRecordActivities => ({
  publishApp: ({ prepared, ...input }) => publishApp(store, input, prepared),
});

/** From now on phones find the app, with this file. Repeating it changes nothing. */
async function publishApp(store: Store, { operationId, appId, metadata }: InstallInput, prepared: PreparedApp): Promise<InstallOutcome> {
  return store.transaction(async (em) => {
    const known = await em.findOne(App, { id: appId });
    const { said, ...file } = prepared;
    if (known && known.installedBy === operationId) return { appId, name: known.name, replaced: known.replacedInstall };
    const replaced = known?.installedBy ?? null;
    if (known?.packageName && said.packageName && known.packageName !== said.packageName) {
      throw new CloudletError(
        'unprocessable-app',
        `The app is refused: it is ${said.packageName}, and cannot replace ${known.packageName}. Add it as an app of its own.`,
      );
    }
    const given = { ...(known ? {} : { ...unsaid(file.fileName), ...said }), ...ofNewFile(said), ...metadata };
    if (given.name !== undefined) await refuseTakenName(em, appId, given.name);
    const row =
      known ??
      em.create(App, {
        ...unsaid(file.fileName),
        ...given,
        ...file,
        id: appId,
        installedBy: operationId,
        replacedInstall: null,
        createdAt: new Date(),
        updatedAt: new Date(),
      });
    if (known) Object.assign(row, { ...given, ...file, installedBy: operationId, replacedInstall: replaced });
    await em.flush();
    await settleOperation(em, operationId, { state: 'succeeded', result: { appId, name: row.name } });
    appendEvent(em, {
      type: 'app.published',
      subject: appId,
      audience: 'public',
      data: { name: row.name, serviceId: row.serviceId },
    });
    return { appId, name: row.name, replaced };
  });
}

/** What a new file says of itself anew; the name and the like stay as they were. */
const ofNewFile = ({ packageName, appVersion, minAndroidVersion }: AppChange): AppChange => ({
  ...(packageName === undefined ? {} : { packageName }),
  ...(appVersion === undefined ? {} : { appVersion }),
  ...(minAndroidVersion === undefined ? {} : { minAndroidVersion }),
});

const unsaid = (fileName: string) => ({
  name: fileName,
  description: '',
  serviceId: null,
  tags: [],
  packageName: null,
  appVersion: null,
  minAndroidVersion: null,
});

/** @throws CloudletError `not-found`, `precondition-failed`, `name-taken` */
export async function changeApp(store: Store, id: string, ifMatch: IfMatch, change: AppChange): Promise<App> {
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 6))', [id]);
    const app = await em.findOne(App, { id });
    if (!app) throw noApp(id);
    requireTag(app, ifMatch);
    await refuseUnknownService(em, change.serviceId);
    if (change.name !== undefined) await refuseTakenName(em, id, change.name);
    Object.assign(app, change);
    await em.flush();
    appendEvent(em, { type: 'app.changed', subject: id, audience: 'public', data: { name: app.name } });
    return app;
  });
}

/**
 * Removes an app; its files are the caller's to remove afterwards.
 * @returns the install that brought them
 * @throws CloudletError `not-found`, `precondition-failed`, `operation-in-progress`
 */
export async function removeApp(store: Store, id: string, ifMatch: IfMatch): Promise<string> {
  return store.transaction(async (em) => {
    await refuseBusy(em, id);
    const app = await em.findOneOrFail(App, { id });
    requireTag(app, ifMatch);
    await em.nativeDelete(App, { id });
    appendEvent(em, { type: 'app.removed', subject: id, audience: 'public', data: { name: app.name } });
    return app.installedBy;
  });
}

/** Whether the files of an install are those of an app. */
export const isInstalled = async (store: Store, operationId: string): Promise<boolean> =>
  (await store.fork().count(App, { installedBy: operationId })) > 0;

/** Installs whose files are an app's, or may become one's: all others are leftovers. */
export async function installsInUse(store: Store): Promise<ReadonlySet<string>> {
  const rows = await store
    .fork()
    .execute<{ id: string }[]>(`select installed_by as id from apps union select id from operations where state = 'running'`);
  return new Set(rows.map(({ id }) => id));
}

/** By the id that pycloud's dialect shows: the first 24 hex digits of ours. */
export async function findAppByObjectId(store: Store, objectId: string): Promise<App | null> {
  if (!/^[0-9a-f]{24}$/.test(objectId)) return null;
  const em = store.fork();
  const [row] = await em.execute<{ id: string }[]>(`select id from apps where left(replace(id::text, '-', ''), 24) = ?`, [objectId]);
  return row ? em.findOne(App, { id: row.id }) : null;
}
