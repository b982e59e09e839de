/**
 * One connection to a D-Bus daemon, on dbus-next's low-level messages. Its proxies are left alone: they introspect, and
 * each of their listeners leaves a match rule behind in the daemon for good.
 */
import type { Socket } from 'node:net';
import dbus, { type Message, type MessageBus } from 'dbus-next';
import { withDeadline } from '../runtime/deadline.ts';

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of `body`. */
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** Limits on one call beyond the connection's own. */
export interface CallLimits {
  readonly timeoutMs?: number;
  /** Gives up waiting when aborted. */
  readonly signal?: AbortSignal;
}

export interface BusSignal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

export interface OpenBus {
  /** `unix:path=…` or `unix:socket=…` */
  readonly address: string;
  /** Of the opening and of each call. */
  readonly timeoutMs: number;
  readonly onSignal: (signal: BusSignal) => void;
  /** Gives up opening when aborted; an open connection stays. */
  readonly signal: AbortSignal;
}

/** What dbus-next's types leave out: it tells nobody when a connection ends, so that calls would wait for ever. */
interface Inside {
  readonly _connection: { readonly stream: Socket };
}

/** Whether a call failed with this error of D-Bus, e.g. `org.freedesktop.Avahi.CollisionError`. */
export const isDBusError = (error: unknown, type: string): boolean => error instanceof dbus.DBusError && error.type === type;

const driver = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' } as const;

/** `unix:path=` makes dbus-next try the native module usocket, which crashes on current Nodes; `unix:socket=` does not. */
const withoutNativeSocket = (address: string): string => address.replace(/^unix:path=/, 'unix:socket=');

/** dbus-next numbers its messages from 1, and greets the daemon first. */
const helloSerial = 1;

export class BusConnection {
  readonly #bus: MessageBus;
  readonly #stream: Socket;
  readonly #timeoutMs: number;
  readonly #closed = new AbortController();

  private constructor({ address, timeoutMs, onSignal }: OpenBus) {
    this.#timeoutMs = timeoutMs;
    this.#bus = dbus.sessionBus({ busAddress: withoutNativeSocket(address) });
    this.#stream = (this.#bus as unknown as Inside)._connection.stream;
    this.#bus.on('error', (error: unknown) => this.#end(error));
    this.#stream.once('close', () => this.#end(new Error('The D-Bus daemon closed the connection.')));
    this.#bus.on('message', (message) => {
      if (message.type === dbus.MessageType.SIGNAL) onSignal(message);
      if (message.type === dbus.MessageType.ERROR && Number(message.replySerial) === helloSerial) this.#refused(message);
    });
  }

  /** @throws when the daemon is not there, or refuses */
  static async open(settings: OpenBus): Promise<BusConnection> {
    const connection = new BusConnection(settings);
    const greeted = new Promise<void>((resolve) => connection.#bus.on('connect', resolve));
    try {
      const message = `The D-Bus daemon at ${settings.address} did not answer within ${settings.timeoutMs / 1000} s.`;
      await withDeadline(() => greeted, {
        timeoutMs: settings.timeoutMs,
        message,
        signal: AbortSignal.any([connection.closed, settings.signal]),
      });
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Aborted when the connection is gone, whoever ended it; its reason says why. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /**
   * Calls a method, and never starts the service for it that the bus could activate.
   * @returns the reply's values, typed as the caller knows them from the method's signature
   * @throws DBusError as the service answered; an Error when the connection ends or nobody answers in time
   */
  async call<Reply extends readonly unknown[]>(
    { body = [], ...call }: MethodCall,
    { timeoutMs = this.#timeoutMs, signal: given }: CallLimits = {},
  ): Promise<Reply> {
    const request = new dbus.Message({ ...call, body: [...body], flags: dbus.MessageFlag.NO_AUTO_START });
    const message = `${call.destination} did not answer ${call.member} within ${timeoutMs / 1000} s.`;
    const signal = given === undefined ? this.closed : AbortSignal.any([this.closed, given]);
    const reply = await withDeadline(() => this.#bus.call(request), { timeoutMs, message, signal });
    return (reply?.body ?? []) as unknown as Reply;
  }

  /** Has the daemon send us the signals that a match rule describes, for as long as the connection lives. */
  async addMatch(rule: string, limits?: CallLimits): Promise<void> {
    await this.call({ ...driver, member: 'AddMatch', signature: 's', body: [rule] }, limits);
  }

  /** @returns the unique name of who owns a well-known name now, if anybody */
  async nameOwner(name: string, limits?: CallLimits): Promise<string | undefined> {
    try {
      const [owner] = await this.call<[string]>({ ...driver, member: 'GetNameOwner', signature: 's', body: [name] }, limits);
      return owner;
    } catch (error) {
      if (isDBusError(error, 'org.freedesktop.DBus.Error.NameHasNoOwner')) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#end(new Error('The connection to D-Bus is closed.'));
  }

  /**
   * The daemon refused to have us, e.g. because it is full. dbus-next would reject a promise that nobody holds, which
   * ends the process: so its handler must not find this message.
   */
  #refused(message: Message): void {
    message.replySerial = '';
    this.#end(new Error(`The D-Bus daemon refused the connection: ${String(message.body[0])}`));
  }

  #end(reason: unknown): void {
    this.#closed.abort(reason);
    this.#stream.destroy();
  }
}
