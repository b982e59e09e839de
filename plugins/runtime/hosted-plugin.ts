/** One configured plugin in one process: its states, and the walls around everything it does. */
import { CloudletError, type InputError } from '../../workflows/contract/errors.ts';
import { askHealth } from './ask-health.ts';
import { messageOf, withDeadline } from './deadline.ts';
import type { ConfiguredPlugin } from './import-plugin.ts';
import type { Plugin, PluginLog, PluginProcess } from './plugin.ts';
import type { PluginReport, PluginState } from './plugin-report.ts';
import { readOptions, readPlugin } from './read-plugin.ts';
import {
  noRegistrations,
  recordRegistrations,
  type BoundHandler,
  type RegisteredContribution,
  type Registrations,
} from './registrations.ts';
import { runBoundHandler, type HandlerCall, type HandlerOutcome } from './run-bound-handler.ts';

/** Limits on a plugin's code; what takes longer counts as hanging. */
export interface PluginTimeouts {
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly healthTimeoutMs: number;
}

export interface PluginEnvironment {
  readonly process: PluginProcess;
  readonly log: PluginLog;
  readonly timeouts: PluginTimeouts;
}

/** Why nothing of a plugin is used. */
interface Refusal {
  readonly state: Extract<PluginState, 'failed' | 'blocked'>;
  readonly detail: string;
  readonly errors: readonly InputError[];
}

const seconds = (ms: number): string => `${ms / 1000} s`;

/** A log whose every line names the plugin. */
const taggedLog = (log: PluginLog, plugin: string): PluginLog => ({
  info: (facts, message) => log.info({ plugin, ...facts }, message),
  warn: (facts, message) => log.warn({ plugin, ...facts }, message),
  error: (facts, message) => log.error({ plugin, ...facts }, message),
});

const idleDetail = 'Nothing of it is used in this process.';

export class HostedPlugin {
  readonly id: string;
  readonly required: boolean;
  readonly #configured: ConfiguredPlugin;
  readonly #environment: PluginEnvironment;
  readonly #log: PluginLog;
  readonly #stopping = new AbortController();
  readonly #handlerFailures = new Map<string, string>();
  #plugin: Plugin | undefined;
  #options: unknown;
  #registrations: Registrations = noRegistrations;
  #refusal: Refusal | undefined;
  #started = false;
  #standing: { readonly state: PluginState; readonly since: string };

  constructor(configured: ConfiguredPlugin, environment: PluginEnvironment) {
    this.id = configured.name;
    this.required = configured.required ?? false;
    this.#configured = configured;
    this.#environment = environment;
    this.#standing = { state: 'idle', since: new Date().toISOString() };
    this.#log = taggedLog(environment.log, this.id);
  }

  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  get dependsOn(): readonly string[] {
    return this.#plugin?.manifest.dependsOn ?? [];
  }

  /** What this process may use of it now: nothing once it is refused or stopped. */
  get contributions(): readonly RegisteredContribution[] {
    return this.#isActive ? this.#registrations.contributions : [];
  }

  get handlers(): readonly BoundHandler[] {
    return this.#isActive ? this.#registrations.handlers : [];
  }

  get #isActive(): boolean {
    return this.#refusal === undefined && !this.#stopping.signal.aborted;
  }

  get #isIdle(): boolean {
    return this.#registrations.contributions.length === 0 && this.#registrations.handlers.length === 0;
  }

  /** Imports it and checks its manifest and options. */
  async load(importPlugin: (configured: ConfiguredPlugin) => Promise<unknown>): Promise<void> {
    const { startTimeoutMs } = this.#environment.timeouts;
    try {
      const message = `its module did not finish loading within ${seconds(startTimeoutMs)}`;
      const module = await withDeadline(() => importPlugin(this.#configured), { timeoutMs: startTimeoutMs, message });
      this.#plugin = readPlugin(this.id, module);
      this.#options = readOptions(this.#plugin.manifest.options, this.#configured.options);
    } catch (error) {
      this.#leaveOut('It could not be imported', error);
    }
  }

  /** Writes down what it declares, as far as it belongs to this process. */
  register(): void {
    if (this.#plugin === undefined || this.#refusal !== undefined) return;
    const { process } = this.#environment;
    try {
      const declared = recordRegistrations(this.#plugin, this.#options);
      this.#registrations = {
        contributions: declared.contributions.filter(({ point }) => point.process === process),
        handlers: process === 'worker' ? declared.handlers : [],
        lifecycle: declared.lifecycle,
      };
    } catch (error) {
      this.#leaveOut('It failed in register()', error);
    }
  }

  /** Starts it, unless this process uses nothing of it. */
  async start(): Promise<void> {
    if (this.#refusal !== undefined || this.#isIdle) return;
    const { timeouts, process } = this.#environment;
    const { lifecycle } = this.#registrations;
    const context = { process, log: this.#log, signal: this.#stopping.signal };
    const starting = Promise.resolve().then(() => lifecycle.start?.(context));
    try {
      const message = `start() did not finish within ${seconds(timeouts.startTimeoutMs)}`;
      await withDeadline(() => starting, { timeoutMs: timeouts.startTimeoutMs, message });
      this.#started = true;
      this.#enter('running');
    } catch (error) {
      this.#leaveOut('It failed to start', error);
      this.#abandon(starting);
    }
  }

  /** Lets go of it. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error(`Plugin "${this.id}" is stopping.`));
    if (!this.#started) return;
    this.#started = false;
    await this.#runStop();
  }

  fail(detail: string): void {
    this.#refuse({ state: 'failed', detail, errors: [] });
  }

  block(detail: string): void {
    this.#refuse({ state: 'blocked', detail, errors: [] });
  }

  /**
   * Runs one handler, within its time.
   * @throws what the handler throws. A veto of a blocking handler is its right; anything else counts against the plugin
   * until the same handler succeeds again
   */
  async runHandler({ event, handler, payload, signal }: HandlerCall): Promise<HandlerOutcome> {
    const bound = this.handlers.find((candidate) => candidate.event === event && candidate.handler === handler);
    if (bound === undefined) return { skipped: `Plugin "${this.id}" has no handler "${handler}" of ${event} now.` };
    const cancelled = AbortSignal.any([this.#stopping.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      await runBoundHandler(bound, { payload, log: this.#log, signal: cancelled });
      this.#handlerFailures.delete(handler);
      return {};
    } catch (error) {
      const isVeto = bound.blocking && error instanceof CloudletError;
      if (!isVeto && !cancelled.aborted) {
        this.#handlerFailures.set(handler, messageOf(error));
        this.#log.error({ err: error, handler }, `Plugin "${this.id}" failed in its handler ${handler}`);
      }
      throw error;
    }
  }

  async report(): Promise<PluginReport> {
    const { state, detail } = await this.#assess();
    this.#enter(state);
    const manifest = this.#plugin?.manifest;
    return {
      id: this.id,
      title: manifest?.title ?? this.id,
      description: manifest?.description ?? '',
      ...(manifest?.version === undefined ? {} : { version: manifest.version }),
      process: this.#environment.process,
      required: this.required,
      state,
      detail,
      since: this.#standing.since,
      contributes: [...new Set(this.contributions.map(({ point }) => point.id))],
      handles: [...new Set(this.handlers.map(({ event }) => event))],
    };
  }

  async #assess(): Promise<{ readonly state: PluginState; readonly detail: string }> {
    if (this.#refusal !== undefined) return this.#refusal;
    if (this.#stopping.signal.aborted || this.#isIdle) return { state: 'idle', detail: idleDetail };
    const health = await askHealth(this.#registrations.lifecycle, this.#environment.timeouts.healthTimeoutMs);
    const complaints = [...this.#handlerFailures].map(([handler, message]) => `Its handler ${handler} failed: ${message}`);
    if (health.state === 'degraded') complaints.unshift(health.detail);
    return complaints.length === 0 ? { state: 'running', detail: '' } : { state: 'degraded', detail: complaints.join(' ') };
  }

  #leaveOut(what: string, error: unknown): void {
    // A CloudletError is a sentence that can stand alone; anything else needs to be told where it happened.
    if (error instanceof CloudletError) this.#refuse({ state: 'failed', detail: error.message, errors: error.facts.errors ?? [] }, error);
    else this.#refuse({ state: 'failed', detail: `${what}: ${messageOf(error)}`, errors: [] }, error);
  }

  /** The first reason stands. */
  #refuse(refusal: Refusal, cause?: unknown): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = refusal;
    this.#enter(refusal.state);
    this.#log.error({ err: cause }, `Plugin "${this.id}" is ${refusal.state}: ${refusal.detail}`);
  }

  /** Keeps the moment at which the state last changed. */
  #enter(state: PluginState): void {
    if (this.#standing.state !== state) this.#standing = { state, since: new Date().toISOString() };
  }

  /** Nobody waits for this start any more; should it succeed after all, it is undone. */
  #abandon(starting: Promise<unknown>): void {
    this.#stopping.abort(new Error(`Plugin "${this.id}" did not start.`));
    starting.then(
      () => this.#runStop(),
      () => undefined,
    );
  }

  async #runStop(): Promise<void> {
    const { lifecycle } = this.#registrations;
    const timeoutMs = this.#environment.timeouts.stopTimeoutMs;
    try {
      await withDeadline(() => lifecycle.stop?.(), { timeoutMs, message: `stop() did not finish within ${seconds(timeoutMs)}` });
    } catch (error) {
      this.#log.error({ err: error }, `Plugin "${this.id}" failed to stop`);
    }
  }
}
