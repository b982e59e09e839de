/**
 * What a plugin is: one value `definePlugin({ manifest, register })` exported as `plugin` by `plugins/<id>/plugin.ts`.
 *
 * `register` only declares. It contributes to extension points (`extension-points.ts`), binds handlers to events
 * (`workflows/contract/event.ts`) and may name what to do when the process starts and stops. Nothing it does may
 * touch the world: the host calls it in every process, and starts the plugin only in those that use what it contributed.
 */
import type { Static, TSchema } from 'typebox';
import type { PluginEventName, PluginEvents } from '../../workflows/contract/event.ts';
import type { ExtensionPoint } from './extension-points.ts';

/** Version of this contract. A plugin written for another one is refused with a clear message. */
export const pluginApiVersion = 1;

/** The processes that load plugins. Every extension point belongs to one of them. */
export type PluginProcess = 'api' | 'worker';

export interface PluginManifest<Options extends TSchema = TSchema> {
  /** kebab-case; equals the folder's name. */
  readonly id: string;
  readonly apiVersion: number;
  readonly title: string;
  readonly description: string;
  /** Of the plugin itself, for people. */
  readonly version?: string;
  /** Plugins that must have started before this one. */
  readonly dependsOn?: readonly string[];
  /**
   * Schema of its options in the configuration; what it refuses stops the plugin from loading. Say
   * `additionalProperties: false`, so that a mistyped name is refused too.
   */
  readonly options: Options;
}

export interface Plugin<Options extends TSchema = TSchema> {
  readonly manifest: PluginManifest<Options>;
  register(registry: PluginRegistry, options: Static<Options>): void;
}

/** What a plugin gets to work with once its process runs. */
export interface PluginContext {
  readonly process: PluginProcess;
  readonly log: PluginLog;
  /** Aborted when the plugin is to stop. */
  readonly signal: AbortSignal;
}

export interface PluginLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface PluginRegistry {
  contribute<Contribution>(point: ExtensionPoint<Contribution>, contribution: Contribution): void;

  /**
   * Binds a handler to an event. It runs as an activity of the workflow that raised the event: it may run twice, must
   * finish within its timeout, and shows in Temporal UI by the plugin's id.
   */
  on<Name extends PluginEventName>(event: Name, handler: EventHandler<Name>, policy?: HandlerPolicy): void;

  /** At most once. */
  lifecycle(hooks: LifecycleHooks): void;
}

export interface HandlerPolicy {
  /** Of one attempt. Default 10 s. */
  readonly timeoutMs?: number;
  /** Default 3. */
  readonly attempts?: number;
}

/** A blocking event's handler vetoes by throwing a `CloudletError`; what a notifying one throws is only recorded. */
export type EventHandler<Name extends PluginEventName> = (event: PluginEvents[Name], context: EventContext) => Promise<void>;

export interface EventContext {
  readonly log: PluginLog;
  /** Aborted when the attempt is cancelled or its time is up. */
  readonly signal: AbortSignal;
}

/** Each hook has a time limit of the host's. A plugin that is idle in a process is not started there. */
export interface LifecycleHooks {
  /**
   * Runs before any contribution is used. When it throws or takes too long the plugin counts as failed: `signal` is
   * aborted, and `stop` runs only if `start` succeeds after all.
   */
  start?(context: PluginContext): Promise<void>;
  /** Runs once after the last use, when `start` has succeeded. */
  stop?(): Promise<void>;
  /** Asked now and then; answers from memory. */
  health?(): PluginHealth | Promise<PluginHealth>;
}

export type PluginHealth = { readonly state: 'healthy' } | { readonly state: 'degraded'; readonly detail: string };

/** Checks types only; the host validates the value when it loads the plugin. */
export const definePlugin = <Options extends TSchema>(plugin: Plugin<Options>): Plugin<Options> => plugin;
