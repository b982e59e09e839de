import type { Progress } from '../../../workflows/contract/operation.ts';

/**
 * connecting: the page has just been opened · live: events arrive · lost: the cloudlet's API is gone · offline: the
 * manager itself does not answer
 */
export type ConnectionState = 'connecting' | 'live' | 'lost' | 'offline';

/** What an open page knows beyond what the server rendered. */
export interface LiveSnapshot {
  readonly connection: ConnectionState;
  /** By operation id: newer than what was rendered. */
  readonly progress: ReadonlyMap<string, Progress>;
}

const initial: LiveSnapshot = { connection: 'connecting', progress: new Map() };

/** Holds the snapshot and tells who shows it; made for `useSyncExternalStore`. */
export class LiveStore {
  #snapshot = initial;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): LiveSnapshot => this.#snapshot;

  readonly initial = (): LiveSnapshot => initial;

  setConnection(connection: ConnectionState): void {
    if (connection === this.#snapshot.connection) return;
    // What happened in between was missed, so only what the server renders next is true.
    const progress = connection === 'live' ? initial.progress : this.#snapshot.progress;
    this.#change({ connection, progress });
  }

  setProgress(operationId: string, progress: Progress): void {
    this.#change({ ...this.#snapshot, progress: new Map(this.#snapshot.progress).set(operationId, progress) });
  }

  /** Once an operation has ended, its page is rendered anew. */
  dropProgress(operationId: string): void {
    const progress = new Map(this.#snapshot.progress);
    if (progress.delete(operationId)) this.#change({ ...this.#snapshot, progress });
  }

  #change(snapshot: LiveSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}
