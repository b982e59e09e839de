import { EventEmitter } from 'node:events';
import type { Caller, CallOptions, OpenedStream } from '../caller.ts';
import type { Connection } from '../connection/connection.ts';
import { openConnection, type ConnectionOptions } from '../connection/open-connection.ts';
import { RpcError } from '../errors.ts';
import type { EventKind } from '../protocol/events.ts';
import { procedures, type AnyProcedure, type Arguments, type ProcedureName, type Reply, type StreamName } from '../protocol/procedures.ts';
import { Domains } from '../api/domains.ts';
import { Host } from '../api/host.ts';
import { NetworkFilters } from '../api/network-filters.ts';
import { Networks } from '../api/networks.ts';
import { StoragePools } from '../api/storage-pools.ts';
import { CallPool } from './call-pool.ts';
import { EventHub } from './event-hub.ts';
import type { EventOptions, EventSubscription } from './event-subscription.ts';
import { defaultReconnect, Session, type ReconnectOptions } from './session.ts';

export interface ClientOptions extends Omit<ConnectionOptions, 'signal'> {
  /** How a lost connection is made anew. Unless said, after 50 ms, doubling to 2 s, without end. */
  readonly reconnect?: ReconnectOptions | undefined;
  /** Connections for calls that may take long, four calls on each. 4 unless said: a libvirtd has 20 workers for all its clients. */
  readonly maxLongConnections?: number | undefined;
}

interface ClientEvents {
  /** The daemon is gone. Calls fail until it is back; nothing needs to be done for that. */
  disconnected: [RpcError];
  /** The daemon is back, and event subscriptions are renewed. */
  reconnected: [];
}

/** Quick calls that have waited so long are behind ones that hang, such as those for a domain that is being saved. */
const stalledMs = 100;
const maxQuickConnections = 3;
const idleMs = 30_000;

/**
 * A libvirt daemon, for as long as it is needed: it may go away and come back.
 *
 * One connection carries events and keepalive and is renewed when lost. Calls go over others: quick ones share one, long ones
 * (save, restore, migrate...) have up to four of their own, and each stream has one to itself, so that nothing waits for them.
 */
export class Client extends EventEmitter<ClientEvents> implements Caller {
  readonly host = new Host(this);
  readonly domains = new Domains(this);
  readonly storagePools = new StoragePools(this);
  readonly networks = new Networks(this);
  readonly networkFilters = new NetworkFilters(this);
  readonly #uri: string;
  readonly #options: ClientOptions;
  readonly #session: Session;
  readonly #events = new EventHub();
  readonly #quick: CallPool;
  readonly #long: CallPool;
  readonly #streamConnections = new Set<Connection>();
  readonly #closing = new AbortController();

  private constructor(uri: string, options: ClientOptions) {
    super();
    this.#uri = uri;
    this.#options = options;
    const open = () => this.#open(this.#closing.signal);
    this.#quick = new CallPool({ open, maxConnections: maxQuickConnections, growAfterMs: stalledMs, idleMs });
    this.#long = new CallPool({ open, maxConnections: options.maxLongConnections ?? 4, growAfterMs: 0, idleMs });
    this.#session = new Session((signal) => this.#open(signal), options.reconnect ?? defaultReconnect, {
      prepare: (connection) => this.#events.register(connection),
      disconnected: (reason) => process.nextTick(() => this.emit('disconnected', reason)),
      reconnected: () => process.nextTick(() => this.emit('reconnected')),
    });
  }

  /**
   * Connects to the daemon a libvirt URI names. Fails if it is not there now; once connected, reconnects by itself.
   * @throws RpcError `connect`, `unsupported`, `timeout` or `aborted`; LibvirtError when the driver refuses
   */
  static async connect(uri: string, { signal, ...options }: ClientOptions & { readonly signal?: AbortSignal } = {}): Promise<Client> {
    const client = new Client(uri, options);
    try {
      await client.#session.start(signal);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Whether the daemon is there, as far as is known. */
  get connected(): boolean {
    return this.#session.connection !== undefined;
  }

  async call<N extends ProcedureName>(name: N, args: Arguments<N>, options: CallOptions = {}): Promise<Reply<N>> {
    const procedure: AnyProcedure = procedures[name];
    if (procedure.tied?.(args)) return this.#tiedCall(name, args, options);
    const pool = procedure.long ? this.#long : this.#quick;
    return pool.run((connection, remaining) => connection.call(name, args, remaining), options);
  }

  async openStream<N extends StreamName>(name: N, args: Arguments<N>, options: CallOptions = {}): Promise<OpenedStream<N>> {
    const { signal } = this.#closing;
    const connection = await this.#open(options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]));
    this.#streamConnections.add(connection);
    const end = async () => {
      await connection.close();
      this.#streamConnections.delete(connection);
    };
    try {
      const opened = await connection.openStream(name, args, options);
      opened.stream.once('close', () => void end());
      return opened;
    } catch (error) {
      await end();
      throw error;
    }
  }

  /**
   * Subscribes to events of one kind, of all domains or one. The subscription outlives a daemon that goes away and comes back:
   * a `gap` among the events says so.
   */
  events<K extends EventKind>(kind: K, options: EventOptions = {}): EventSubscription<K> {
    const subscription = this.#events.subscribe(kind, options);
    if (this.#closing.signal.aborted) subscription.end(closedError());
    return subscription;
  }

  /** Rejects what is under way with `closed`, and ends subscriptions and streams. May be called again. */
  async close(): Promise<void> {
    this.#closing.abort(closedError());
    this.#events.close();
    const reason = closedError();
    await Promise.all([
      this.#session.close(),
      this.#quick.close(reason),
      this.#long.close(reason),
      ...[...this.#streamConnections].map((connection) => connection.close()),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(signal: AbortSignal): Promise<Connection> {
    return openConnection(this.#uri, { ...this.#options, signal });
  }

  /** What the daemon undoes when the connection ends is asked for on the one that lasts. */
  async #tiedCall<N extends ProcedureName>(name: N, args: Arguments<N>, options: CallOptions): Promise<Reply<N>> {
    const { connection } = this.#session;
    if (connection === undefined) throw new RpcError('connection-lost', `libvirt is not connected at present, and ${name} needs it to be.`);
    return connection.call(name, args, options);
  }
}

function closedError(): RpcError {
  return new RpcError('closed', 'The libvirt client was closed.');
}
