/** One announcement, kept up under a name of its own. */
import { messageOf } from '../runtime/deadline.ts';
import type { Advertisement, Announcement } from '../runtime/extension-points.ts';
import type { PluginLog } from '../runtime/plugin.ts';
import type { AvahiClient, AvahiUser } from './avahi-client.ts';
import { avahiName, groupStates, type AvahiSession } from './avahi-session.ts';
import { isDBusError } from './bus-connection.ts';
import { nthInstanceName } from './instance-name.ts';
import { aborted, pause } from './pause.ts';

/** A network adapter that is unplugged and comes back has another index, and Avahi does not say so. */
const interfaceCheckMs = 5_000;
/** After so many taken names something on the network answers for every name; slower then. */
const patientCollisions = 10;
const impatientPauseMs = 5_000;

const unconfirmed = 'The announcement is not confirmed yet.';

const isLocalCollision = (error: unknown): boolean => isDBusError(error, `${avahiName}.CollisionError`);

/** Why an attempt to hold a name ended. `over`: nobody wants it any more, or not on this interface. */
type Ending = 'over' | 'name-taken' | 'failure';

export class AvahiAdvertisement implements Advertisement, AvahiUser {
  readonly #announcement: Announcement;
  readonly #log: PluginLog;
  readonly #release: () => Promise<void>;
  #name: string;
  #trouble: string | undefined = unconfirmed;

  constructor(announcement: Announcement, client: AvahiClient, log: PluginLog) {
    this.#announcement = announcement;
    this.#log = log;
    this.#name = nthInstanceName(announcement.name, 1);
    this.#release = client.use(this);
  }

  get name(): string {
    return this.#name;
  }

  /** Why it is not announced now; undefined when it is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async withdraw(): Promise<void> {
    await this.#release();
    this.#trouble = undefined;
  }

  failed(error: unknown): void {
    this.#setTrouble(`Avahi does not take the announcement of "${this.#name}": ${messageOf(error)}`);
  }

  /** Begins with the name wished for in every session, so that a name that came free is taken back. */
  async run(session: AvahiSession, over: AbortSignal): Promise<void> {
    let collisions = 0;
    while (!over.aborted) {
      this.#name = nthInstanceName(this.#announcement.name, collisions + 1);
      const ending = await this.#hold(session, over);
      if (ending === 'failure') throw new Error('it failed after it was accepted.');
      if (ending === 'name-taken') {
        collisions += 1;
        this.#log.warn({ name: this.#name }, 'Another cloudlet has this name; taking the next one');
      }
      if (collisions > patientCollisions) await pause(impatientPauseMs, over);
    }
  }

  /** Announces under the present name until something ends it. */
  async #hold(session: AvahiSession, over: AbortSignal): Promise<Ending> {
    const { promise: ended, resolve: end } = Promise.withResolvers<Ending>();
    const attempt = new AbortController();
    const interfaceIndex = await this.#interfaceIndex(session);
    const group = await session.newEntryGroup((state) => {
      if (state === groupStates.established) this.#setTrouble(undefined);
      if (state === groupStates.collision) end('name-taken');
      if (state === groupStates.failure) end('failure');
    });
    try {
      await group.publish({ ...this.#announcement, name: this.#name, interfaceIndex });
      const attemptOver = AbortSignal.any([over, attempt.signal]);
      void this.#interfaceChange(session, interfaceIndex, attemptOver).then(() => end('over'));
      return await ended;
    } catch (error) {
      if (isLocalCollision(error)) return 'name-taken';
      throw error;
    } finally {
      attempt.abort();
      this.#trouble ??= unconfirmed;
      await group.free();
    }
  }

  async #interfaceIndex(session: AvahiSession): Promise<number | undefined> {
    const { networkInterface } = this.#announcement;
    if (networkInterface === undefined) return undefined;
    try {
      return await session.interfaceIndex(networkInterface);
    } catch (error) {
      throw new Error(`network interface ${networkInterface} cannot be used (${messageOf(error)}).`, { cause: error });
    }
  }

  /** Resolves when the interface is gone or has another index, or when `over` is aborted. Never rejects. */
  async #interfaceChange(session: AvahiSession, index: number | undefined, over: AbortSignal): Promise<void> {
    if (index === undefined) return aborted(over);
    let present: number | undefined = index;
    while (!over.aborted && present === index) {
      await pause(interfaceCheckMs, over);
      if (!over.aborted) present = await this.#interfaceIndex(session).catch(() => undefined);
    }
  }

  #setTrouble(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble === undefined) this.#log.info({ name: this.#name, port: this.#announcement.port }, 'Announced on the network');
    else this.#log.warn({ name: this.#name }, trouble);
  }
}
