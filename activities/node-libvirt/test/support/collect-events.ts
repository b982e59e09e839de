import type { DomainEvent, EventGap, EventKind, EventSubscription } from '../../src/index.ts';
import { until } from './until.ts';

type Item<K extends EventKind> = DomainEvent<K> | EventGap;

/** Reads a subscription into a list that grows, and waits on that list. */
export class CollectedEvents<K extends EventKind> {
  readonly items: Item<K>[] = [];
  readonly #subscription: EventSubscription<K>;
  readonly #reading: Promise<void>;

  private constructor(subscription: EventSubscription<K>) {
    this.#subscription = subscription;
    this.#reading = this.#read();
  }

  /** Begins when the daemon has been told. */
  static async of<K extends EventKind>(subscription: EventSubscription<K>): Promise<CollectedEvents<K>> {
    await subscription.ready;
    return new CollectedEvents(subscription);
  }

  /** The first event that fits, if need be one that is yet to come. */
  waitFor(what: string, fits: (item: Item<K>) => boolean): Promise<Item<K>> {
    return until(what, () => this.items.find(fits));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription.return();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const item of this.#subscription) this.items.push(item);
  }
}
