import type { EntityManager } from '@mikro-orm/postgresql';
import type { EventAudience } from '../../workflows/contract/event.ts';

/** The channel on which the database says that the table has grown; the payload is the new `seq`. */
export const eventsChannel = 'cloudlet_events';

export interface NewEvent {
  /** What happened, e.g. `service-vm.ready`. */
  readonly type: string;
  /** What it happened to: the id of a Service VM, or the name of a service. */
  readonly subject: string;
  readonly operationId?: string;
  readonly audience: EventAudience;
  readonly data?: Record<string, unknown>;
}

const unwritten = new WeakMap<EntityManager, NewEvent[]>();

/** Appends to the event table at the end of the transaction that this unit of work belongs to. */
export function appendEvent(em: EntityManager, event: NewEvent): void {
  const events = unwritten.get(em) ?? [];
  events.push(event);
  unwritten.set(em, events);
}

/**
 * Writes what was appended. Must be the last statement of its transaction: a trigger takes the table's lock here and
 * holds it until the commit, so that numbers grow in the order of commits, and everybody else waits.
 */
export async function writeEvents(em: EntityManager): Promise<void> {
  const events = unwritten.get(em);
  if (!events) return;
  unwritten.delete(em);
  // What the unit of work still holds must be written before, not after.
  await em.flush();
  await em.execute(
    `insert into events (at, type, subject, operation_id, audience, data)
     values ${events.map(() => '(now(), ?, ?, ?, ?, ?::jsonb)').join(', ')}`,
    events.flatMap(({ type, subject, operationId, audience, data }) => [
      type,
      subject,
      operationId ?? null,
      audience,
      JSON.stringify(data ?? {}),
    ]),
  );
}

export interface RecordedEvent extends Required<Omit<NewEvent, 'operationId'>> {
  readonly seq: number;
  readonly at: Date;
  readonly operationId: string | null;
}

export interface EventFilter {
  /** Only later ones than this `seq`. */
  readonly after: number;
  readonly operationId?: string;
  readonly publicOnly?: boolean;
  readonly limit: number;
}

/** @returns events in the order in which they happened */
export async function readEvents(em: EntityManager, filter: EventFilter): Promise<RecordedEvent[]> {
  const rows = await em.execute<
    (Omit<RecordedEvent, 'seq' | 'at' | 'operationId'> & { seq: string; at: string; operation_id: string | null })[]
  >(
    `select seq, at, type, subject, operation_id, audience, data from events
     where seq > ? and (?::uuid is null or operation_id = ?) and (not ? or audience = 'public')
     order by seq limit ?`,
    [filter.after, filter.operationId ?? null, filter.operationId ?? null, filter.publicOnly ?? false, filter.limit],
  );
  return rows.map(({ seq, at, operation_id: operationId, ...row }) => ({ ...row, seq: Number(seq), at: new Date(at), operationId }));
}

/** @returns `seq` of the latest event, 0 when there is none */
export async function latestEvent(em: EntityManager): Promise<number> {
  const [row] = await em.execute<{ seq: string | null }[]>('select max(seq) as seq from events');
  return Number(row?.seq ?? 0);
}
