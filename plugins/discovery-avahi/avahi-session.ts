/**
 * Avahi's D-Bus interface, typed, for as long as one Avahi daemon runs under one host name. All that is made in a session
 * (entry groups, browsers) is void when it ends.
 * @see https://github.com/avahi/avahi/tree/master/avahi-daemon the `org.freedesktop.Avahi.*.xml` files
 */
import type { BusConnection, BusSignal, MethodCall } from './bus-connection.ts';
import { encodeTxt } from './txt-record.ts';

export const avahiName = 'org.freedesktop.Avahi';

type AvahiInterface = 'Server' | 'EntryGroup' | 'ServiceBrowser';

/** Avahi's numbers for "any interface", "any protocol" and IPv4 (avahi-common/address.h). */
const anyInterface = -1;
const anyProtocol = -1;
const ipv4 = 0;
const noFlags = 0;

/** avahi-common/defs.h, `AvahiEntryGroupState`. */
export const groupStates = { uncommitted: 0, registering: 1, established: 2, collision: 3, failure: 4 } as const;

/** avahi-common/defs.h, `AvahiServerState`. */
export const serverStates = { invalid: 0, registering: 1, running: 2, collision: 3, failure: 4 } as const;

/** avahi-common/defs.h, `AVAHI_LOOKUP_RESULT_OUR_OWN`: announced over the same D-Bus connection as the browser's. */
const ourOwnFlag = 16;

/** A daemon that hangs is not waited for when there is nothing more to do than to let go. */
const freeTimeoutMs = 1_000;

/** A service to announce. */
export interface LocalService {
  readonly name: string;
  readonly type: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
  /** Absent: every interface. */
  readonly interfaceIndex?: number;
}

/** A service that a browser found, by name alone. */
export interface BrowsedItem {
  readonly interfaceIndex: number;
  readonly protocol: number;
  readonly name: string;
  readonly type: string;
  readonly domain: string;
}

export interface BrowseListener {
  added(item: BrowsedItem): void;
  removed(item: BrowsedItem): void;
  /** The browser has ended. */
  failed(reason: string): void;
}

export interface ResolvedService {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly txt: readonly Buffer[];
}

/** A set of records that live and die together. */
export interface EntryGroup {
  /** @throws DBusError `org.freedesktop.Avahi.CollisionError` when this host has another service of that name and type */
  publish(service: LocalService): Promise<void>;
  /** Never rejects. */
  free(): Promise<void>;
}

export interface Browser {
  /** Never rejects. */
  free(): Promise<void>;
}

type ItemBody = readonly [interfaceIndex: number, protocol: number, name: string, type: string, domain: string, flags: number];

export class AvahiSession {
  readonly #connection: BusConnection;
  readonly #owner: string;
  readonly #listeners = new Set<(signal: BusSignal) => void>();
  /** Aborted when the session is over. */
  readonly ended: AbortSignal;

  /** @param owner unique bus name of the daemon: signals of a former one are not for this session */
  constructor(connection: BusConnection, owner: string, ended: AbortSignal) {
    this.#connection = connection;
    this.#owner = owner;
    this.ended = ended;
  }

  /** Takes a signal from the bus. */
  dispatch(signal: BusSignal): void {
    if (signal.sender !== this.#owner) return;
    for (const listener of this.#listeners) listener(signal);
  }

  /** @throws DBusError `org.freedesktop.Avahi.OSError` where the host has no such interface */
  async interfaceIndex(name: string): Promise<number> {
    const [index] = await this.#call<[number]>('/', 'Server', 'GetNetworkInterfaceIndexByName', 's', [name]);
    return index;
  }

  async interfaceName(index: number): Promise<string> {
    const [name] = await this.#call<[string]>('/', 'Server', 'GetNetworkInterfaceNameByIndex', 'i', [index]);
    return name;
  }

  /** @returns a new, empty entry group; its states go to the listener */
  async newEntryGroup(onState: (state: number) => void): Promise<EntryGroup> {
    const [path] = await this.#call<[string]>('/', 'Server', 'EntryGroupNew');
    const stopListening = this.#listen((signal) => {
      if (signal.path === path && signal.member === 'StateChanged') onState(Number(signal.body[0]));
    });
    return {
      publish: async ({ interfaceIndex = anyInterface, name, type, port, txt }) => {
        const domainAndHost = ['', ''];
        const body = [interfaceIndex, anyProtocol, noFlags, name, type, ...domainAndHost, port, encodeTxt(txt)];
        await this.#call(path, 'EntryGroup', 'AddService', 'iiussssqaay', body);
        await this.#call(path, 'EntryGroup', 'Commit');
      },
      free: async () => {
        stopListening();
        await this.#free(path, 'EntryGroup');
      },
    };
  }

  /** Browses for services of a type over IPv4. */
  async browse(type: string, listener: BrowseListener): Promise<Browser> {
    // Avahi's first signals can come together with its answer, before the path in it is known.
    const early: BusSignal[] = [];
    let path: string | undefined;
    const deliver = (signal: BusSignal): void => {
      if (signal.path === path) deliverBrowsed(signal, listener);
    };
    const stopListening = this.#listen((signal) => {
      if (path === undefined) early.push(signal);
      else deliver(signal);
    });
    try {
      [path] = await this.#call<[string]>('/', 'Server', 'ServiceBrowserNew', 'iissu', [anyInterface, ipv4, type, '', noFlags]);
    } catch (error) {
      stopListening();
      throw error;
    }
    const browser = path;
    early.forEach(deliver);
    return {
      free: async () => {
        stopListening();
        await this.#free(browser, 'ServiceBrowser');
      },
    };
  }

  /** @throws DBusError `org.freedesktop.Avahi.TimeoutError` when nobody answers for the service, after about 5 s */
  async resolve({ interfaceIndex, protocol, name, type, domain }: BrowsedItem): Promise<ResolvedService> {
    const body = [interfaceIndex, protocol, name, type, domain, ipv4, noFlags];
    type Reply = [number, number, string, string, string, host: string, number, address: string, port: number, txt: Buffer[], number];
    const [, , , , , host, , address, port, txt] = await this.#call<Reply>('/', 'Server', 'ResolveService', 'iisssiu', body);
    return { host, address, port, txt };
  }

  #listen(listener: (signal: BusSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Works after the session too: the daemon may live on and hold what we made. Never rejects: at worst it is gone already. */
  async #free(path: string, type: AvahiInterface): Promise<void> {
    await this.#connection.call(this.#method(path, type, 'Free'), { timeoutMs: freeTimeoutMs }).catch(() => undefined);
  }

  #method(path: string, type: AvahiInterface, member: string): MethodCall {
    return { destination: this.#owner, path, interface: `${avahiName}.${type}`, member };
  }

  async #call<Reply extends readonly unknown[]>(
    path: string,
    type: AvahiInterface,
    member: string,
    signature = '',
    body: readonly unknown[] = [],
  ): Promise<Reply> {
    return this.#connection.call<Reply>({ ...this.#method(path, type, member), signature, body }, { signal: this.ended });
  }
}

function deliverBrowsed({ member, body }: BusSignal, listener: BrowseListener): void {
  if (member === 'Failure') listener.failed(String(body[0]));
  if (member !== 'ItemNew' && member !== 'ItemRemove') return;
  const [interfaceIndex, protocol, name, type, domain, flags] = body as ItemBody;
  if ((flags & ourOwnFlag) !== 0) return;
  const item = { interfaceIndex, protocol, name, type, domain };
  if (member === 'ItemNew') listener.added(item);
  else listener.removed(item);
}
