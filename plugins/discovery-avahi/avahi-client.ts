/** Keeps in touch with Avahi: through restarts of its daemon and of the D-Bus daemon, and through changes of the host's name. */
import { messageOf } from '../runtime/deadline.ts';
import type { PluginLog } from '../runtime/plugin.ts';
import { AvahiSession, avahiName, serverStates } from './avahi-session.ts';
import { BusConnection, type BusSignal } from './bus-connection.ts';
import { aborted, pause } from './pause.ts';

/** Something that needs Avahi. It is run again in every session, until it is released. */
export interface AvahiUser {
  /**
   * Does its work until `over` is aborted, then cleans up and resolves. When it rejects it is run again after a while.
   * @param over aborted when the session ends or the user is released
   */
  run(session: AvahiSession, over: AbortSignal): Promise<void>;
  /** Told what `run` rejected with. */
  failed(error: unknown): void;
}

export interface AvahiClientSettings {
  readonly dbusAddress: string;
  readonly log: PluginLog;
}

interface Use {
  readonly user: AvahiUser;
  readonly released: AbortController;
  running: Promise<void>;
}

const callTimeoutMs = 10_000;
/** Between attempts to reach a D-Bus daemon that is not there, or that says no: from … to …, doubling. */
const firstRetryMs = 250;
const lastRetryMs = 5_000;

const dbusRules = [
  `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${avahiName}'`,
  ...['Server', 'EntryGroup', 'ServiceBrowser'].map((type) => `type='signal',sender='${avahiName}',interface='${avahiName}.${type}'`),
];

export class AvahiClient {
  readonly #settings: AvahiClientSettings;
  readonly #stopping = new AbortController();
  readonly #uses = new Set<Use>();
  #session: AvahiSession | undefined;
  /** What is true of Avahi until something changes: aborted by any sign that it did. */
  #era = new AbortController();
  #trouble: string | undefined = 'Avahi has not been reached yet.';
  #running: Promise<void> = Promise.resolve();

  constructor(settings: AvahiClientSettings) {
    this.#settings = settings;
  }

  /** Why there is no session, and what to do; undefined while there is one. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Begins to look for Avahi. Returns at once: it may take for ever. */
  start(): void {
    this.#running = this.#stayConnected();
  }

  /** Ends the session, and with it all that was made in it. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Discovery is stopping.'));
    await this.#running;
  }

  /** @returns releases the user, after its clean-up. Never rejects */
  use(user: AvahiUser): () => Promise<void> {
    const use: Use = { user, released: new AbortController(), running: Promise.resolve() };
    this.#uses.add(use);
    if (this.#session !== undefined) this.#runIn(this.#session, use);
    return async () => {
      this.#uses.delete(use);
      use.released.abort(new Error('It is not wanted any more.'));
      await use.running;
    };
  }

  async #stayConnected(): Promise<void> {
    const stopping = this.#stopping.signal;
    let retryMs = firstRetryMs;
    while (!stopping.aborted) {
      try {
        const connection = await this.#connect();
        retryMs = firstRetryMs;
        await this.#followAvahi(connection).finally(() => connection.close());
      } catch (error) {
        if (!stopping.aborted)
          this.#report(`D-Bus cannot be used (${messageOf(error)}). Start dbus-daemon and avahi-daemon; this goes on trying.`);
      }
      await pause(retryMs, stopping);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
  }

  async #connect(): Promise<BusConnection> {
    const signal = this.#stopping.signal;
    const connection = await BusConnection.open({
      address: this.#settings.dbusAddress,
      timeoutMs: callTimeoutMs,
      onSignal: (busSignal) => this.#onSignal(busSignal),
      signal,
    });
    try {
      // Once for the life of the connection, and before anything is asked that a signal could answer.
      for (const rule of dbusRules) await connection.addMatch(rule, { signal });
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #onSignal(signal: BusSignal): void {
    const { interface: type, member, body } = signal;
    if (member === 'NameOwnerChanged' && body[0] === avahiName) this.#era.abort();
    // Running while a session is open is no news.
    const isState = type === `${avahiName}.Server` && member === 'StateChanged';
    if (isState && (body[0] !== serverStates.running || this.#session === undefined)) this.#era.abort();
    this.#session?.dispatch(signal);
  }

  /** Holds one session after the other until the connection ends. @throws why it ended, unless we stop */
  async #followAvahi(connection: BusConnection): Promise<void> {
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      connection.closed.throwIfAborted();
      // Before asking, so that nothing goes unseen that changes while the answer is on its way.
      this.#era = new AbortController();
      const ended = AbortSignal.any([this.#era.signal, connection.closed, stopping]);
      const owner = await this.#runningOwner(connection, ended);
      if (owner === undefined) await pause(lastRetryMs, ended);
      else await this.#serve(new AvahiSession(connection, owner, ended));
    }
  }

  /** @returns who is Avahi on this bus, if it is up and sure of its host name */
  async #runningOwner(connection: BusConnection, signal: AbortSignal): Promise<string | undefined> {
    try {
      const owner = await connection.nameOwner(avahiName, { signal });
      if (owner === undefined) {
        this.#report('avahi-daemon is not running, so nobody finds this cloudlet by name. Start it; this goes on trying.');
        return undefined;
      }
      const call = { destination: owner, path: '/', interface: `${avahiName}.Server`, member: 'GetState' };
      const [state] = await connection.call<[number]>(call, { signal });
      if (state === serverStates.running) return owner;
      this.#report('avahi-daemon is settling its host name; the announcement follows.');
    } catch (error) {
      if (!signal.aborted) this.#report(`avahi-daemon does not answer (${messageOf(error)}). Restart it; this goes on trying.`);
    }
    return undefined;
  }

  async #serve(session: AvahiSession): Promise<void> {
    if (session.ended.aborted) return;
    this.#session = session;
    this.#report(undefined);
    for (const use of this.#uses) this.#runIn(session, use);
    await aborted(session.ended);
    this.#session = undefined;
    await Promise.all([...this.#uses].map((use) => use.running));
  }

  #runIn(session: AvahiSession, use: Use): void {
    use.running = this.#keepRunning(session, use);
  }

  async #keepRunning(session: AvahiSession, { user, released }: Use): Promise<void> {
    const over = AbortSignal.any([session.ended, released.signal]);
    while (!over.aborted) {
      try {
        await user.run(session, over);
      } catch (error) {
        if (!over.aborted) user.failed(error);
      }
      await pause(lastRetryMs, over);
    }
  }

  #report(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble === undefined) this.#settings.log.info({}, 'Avahi is there');
    else this.#settings.log.warn({}, trouble);
  }
}
