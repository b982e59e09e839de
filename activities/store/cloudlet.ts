import { randomBytes, randomUUID } from 'node:crypto';
import { Cloudlet } from './entities/cloudlet.ts';
import type { Store } from './store.ts';

export interface CloudletIdentity {
  readonly id: string;
  readonly name: string;
  /** Key of the lease tokens. */
  readonly tokenKey: Uint8Array;
}

/** Who this cloudlet is; the first process to ask decides. A changed name is taken over, the id stays. */
export async function cloudletIdentity(store: Store, name: string): Promise<CloudletIdentity> {
  return store.transaction(async (em) => {
    await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 4))', ['cloudlet']);
    const [known] = await em.find(Cloudlet, {}, { populate: ['tokenKey'], orderBy: { createdAt: 'asc' }, limit: 1 });
    const cloudlet = known ?? em.create(Cloudlet, { id: randomUUID(), name, tokenKey: randomBytes(32), createdAt: new Date() });
    cloudlet.name = name;
    await em.flush();
    return { id: cloudlet.id, name, tokenKey: cloudlet.tokenKey };
  });
}
