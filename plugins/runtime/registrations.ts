/** What a plugin declares when the host calls its `register`. */
import type { Static, TSchema } from 'typebox';
import { isBlockingEvent, type PluginEventName } from '../../workflows/contract/event.ts';
import type { ExtensionPoint } from './extension-points.ts';
import type { EventContext, HandlerPolicy, LifecycleHooks, Plugin, PluginRegistry } from './plugin.ts';

/** How the workflow that raised an event calls one handler. */
export interface HandlerDescriptor {
  readonly pluginId: string;
  /** Stable while the plugin binds its handlers in the same order: `<event>`, `<event>#2`, … */
  readonly handler: string;
  readonly blocking: boolean;
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

export interface BoundHandler extends HandlerDescriptor {
  readonly event: PluginEventName;
  /** Takes the event's own payload; `never`, since handlers of all events are kept side by side. */
  readonly handle: (event: never, context: EventContext) => Promise<void>;
}

export interface RegisteredContribution {
  readonly point: ExtensionPoint<unknown>;
  readonly contribution: unknown;
}

export interface Registrations {
  readonly contributions: readonly RegisteredContribution[];
  readonly handlers: readonly BoundHandler[];
  readonly lifecycle: LifecycleHooks;
}

export const noRegistrations: Registrations = { contributions: [], handlers: [], lifecycle: {} };

const defaultPolicy = { timeoutMs: 10_000, attempts: 3 } as const satisfies Required<HandlerPolicy>;

function assertPositiveInteger(value: number, what: string): void {
  if (!Number.isInteger(value) || value < 1) throw new Error(`${what} is ${String(value)}; it must be a whole number above 0.`);
}

function assertFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw new Error(`${what} is not a function.`);
}

/**
 * Calls `register` and writes down what it declares.
 * @throws what `register` throws, or a sentence that says how it broke the contract
 */
export function recordRegistrations<Options extends TSchema>(plugin: Plugin<Options>, options: Static<Options>): Registrations {
  const pluginId = plugin.manifest.id;
  const contributions: RegisteredContribution[] = [];
  const handlers: BoundHandler[] = [];
  let lifecycle: LifecycleHooks | undefined;
  let registering = true;

  const assertRegistering = (): void => {
    if (!registering)
      throw new Error(`Plugin "${pluginId}" used its registry after register() had returned; declare everything in register().`);
  };

  const registry: PluginRegistry = {
    contribute(point, contribution) {
      assertRegistering();
      if (contribution === undefined || contribution === null) throw new Error(`It contributed nothing to ${point.id}.`);
      contributions.push({ point, contribution });
    },
    on(event, handle, policy = {}) {
      assertRegistering();
      assertFunction(handle, `Its handler of ${event}`);
      const { timeoutMs, attempts } = { ...defaultPolicy, ...policy };
      assertPositiveInteger(timeoutMs, `timeoutMs of its handler of ${event}`);
      assertPositiveInteger(attempts, `attempts of its handler of ${event}`);
      const earlier = handlers.filter((bound) => bound.event === event).length;
      const handler = earlier === 0 ? event : `${event}#${earlier + 1}`;
      handlers.push({ pluginId, handler, event, handle, blocking: isBlockingEvent(event), timeoutMs, attempts });
    },
    lifecycle(hooks) {
      assertRegistering();
      if (lifecycle !== undefined) throw new Error('It called lifecycle() twice; give all hooks in one call.');
      for (const name of ['start', 'stop', 'health'] as const) {
        if (hooks[name] !== undefined) assertFunction(hooks[name], `Its lifecycle hook ${name}`);
      }
      lifecycle = hooks;
    },
  };

  // `void` does not keep an author from writing an async function, whose rejection would end the process.
  const returned: unknown = plugin.register(registry, options);
  registering = false;
  if (returned instanceof Promise) {
    returned.catch(() => undefined);
    throw new Error('Its register() is asynchronous; it must only declare. Move the waiting to the start hook.');
  }
  return { contributions, handlers, lifecycle: lifecycle ?? {} };
}
