import type { Connection } from '../connection/connection.ts';
import { LibvirtError } from '../errors.ts';
import { events, type DomainEvent, type EventKind } from '../protocol/events.ts';
import { EventSubscription, type EventOptions } from './event-subscription.ts';

/** One kind of event: who wants it, and what the daemon knows of that. */
interface Feed {
  readonly kind: EventKind;
  readonly subscriptions: Set<EventSubscription<EventKind>>;
  registration: { readonly connection: Connection; readonly callbackId: number } | undefined;
  /** Tells the daemon about one change after the other. Never rejects. */
  settled: Promise<void>;
}

/** Shares one registration at the daemon among all who want a kind of event, and renews it on each new connection. */
export class EventHub {
  readonly #feeds = new Map<EventKind, Feed>();
  #connection: Connection | undefined;

  subscribe<K extends EventKind>(kind: K, options: EventOptions): EventSubscription<K> {
    const feed = this.#feed(kind);
    const subscription = new EventSubscription<K>(options, (ended) => {
      feed.subscriptions.delete(erased(ended));
      void this.#settle(feed);
    });
    if (!subscription.ended) {
      feed.subscriptions.add(erased(subscription));
      void this.#settle(feed);
    }
    return subscription;
  }

  /** Registers everything with a new connection. Resolves when the daemon has been told, or the connection is lost again. */
  async register(connection: Connection): Promise<void> {
    this.#connection = connection;
    connection.on('event', (event) => this.#dispatch(event));
    connection.once('close', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    await Promise.all([...this.#feeds.values()].map((feed) => this.#settle(feed)));
  }

  /** Ends all subscriptions, quietly. */
  close(): void {
    for (const { subscriptions } of this.#feeds.values()) for (const subscription of subscriptions) subscription.end();
  }

  #feed(kind: EventKind): Feed {
    const known = this.#feeds.get(kind);
    if (known !== undefined) return known;
    const feed: Feed = { kind, subscriptions: new Set(), registration: undefined, settled: Promise.resolve() };
    this.#feeds.set(kind, feed);
    return feed;
  }

  #dispatch(event: DomainEvent): void {
    const feed = this.#feeds.get(event.kind);
    for (const subscription of feed?.subscriptions ?? []) subscription.push(event);
  }

  #settle(feed: Feed): Promise<void> {
    feed.settled = feed.settled.then(() => this.#tellDaemon(feed));
    return feed.settled;
  }

  async #tellDaemon(feed: Feed): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    try {
      if (feed.subscriptions.size > 0) await registerFeed(feed, connection);
      else await deregisterFeed(feed, connection);
    } catch (error) {
      // A lost connection is renewed, and this with it; a refusal is final.
      if (error instanceof LibvirtError) for (const subscription of feed.subscriptions) subscription.end(error);
    }
  }
}

async function registerFeed(feed: Feed, connection: Connection): Promise<void> {
  if (feed.registration?.connection !== connection) {
    const { eventId } = events[feed.kind];
    const { callbackId } = await connection.call('connectDomainEventCallbackRegisterAny', { eventId, domain: null });
    feed.registration = { connection, callbackId };
  }
  for (const subscription of feed.subscriptions) subscription.registered(connection);
}

async function deregisterFeed(feed: Feed, connection: Connection): Promise<void> {
  const { registration } = feed;
  feed.registration = undefined;
  if (registration?.connection !== connection) return;
  await connection.call('connectDomainEventCallbackDeregisterAny', { callbackId: registration.callbackId });
}

/** A feed gives each subscription events of its own kind only. */
function erased<K extends EventKind>(subscription: EventSubscription<K>): EventSubscription<EventKind> {
  return subscription as unknown as EventSubscription<EventKind>;
}
