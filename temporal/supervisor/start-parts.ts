import { type Backoff, restartBackoff } from './backoff.ts';
import { keepPart, type KeptPart, messageOf } from './keep-part.ts';
import { orderParts } from './order-parts.ts';
import type { Part, PartContext, RunningPart } from './part.ts';
import type { Report } from './report.ts';

export interface StartOptions<Facts extends object> {
  readonly parts: readonly Part<Facts>[];
  readonly report: Report;
  readonly logOf: (part: string) => string;
  /** What is known before any part has started. */
  readonly facts?: Partial<Facts>;
  /** Aborted to give up: what has been started is stopped. */
  readonly signal: AbortSignal;
  /** Aborted to hurry when what has been started is stopped because of a failure. */
  readonly urgent: AbortSignal;
  readonly backoff?: Backoff;
}

export interface StartedParts<Facts extends object> {
  readonly facts: Readonly<Partial<Facts>>;
  /** Titles of the optional parts that did not come up at first. */
  readonly degraded: readonly string[];
  /** Ends all of them, each before those that it needs; at once when `urgent` is aborted. */
  stop(urgent: AbortSignal): Promise<void>;
}

/** A part that takes longer than this is mentioned while it does. */
const mentionAfterMs = 3000;

/**
 * Starts every part as soon as those that it needs are up, and keeps each up from then on.
 *
 * @throws what the first required part that failed threw, or the signal's reason; everything is stopped by then
 */
export async function startParts<Facts extends object>(options: StartOptions<Facts>): Promise<StartedParts<Facts>> {
  const { report, backoff = restartBackoff } = options;
  const parts = orderParts(options.parts);
  const facts: Partial<Facts> = { ...options.facts };
  const degraded: string[] = [];
  const kept = new Map<string, KeptPart>();
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);

  const startOne = async (part: Part<Facts>): Promise<void> => {
    const context = (): PartContext<Facts> => ({ facts: { ...facts }, logPath: options.logOf(part.name), signal });
    const learn = (running: RunningPart<Facts>): void => void Object.assign(facts, running.facts);
    const keep = { part, context, report, backoff, onStart: learn };
    const begun = performance.now();
    const mention = setTimeout(() => report.waiting(part.title), mentionAfterMs);
    try {
      signal.throwIfAborted();
      const running = await part.start(context());
      learn(running);
      kept.set(part.name, keepPart(keep, running));
      if (!signal.aborted) report.started(part.title, performance.now() - begun, running.detail);
    } catch (error) {
      if (!signal.aborted) report.failed(part.title, performance.now() - begun, messageOf(error));
      if (!part.optional || signal.aborted) throw error;
      degraded.push(part.title);
      kept.set(part.name, keepPart(keep, undefined));
    } finally {
      clearTimeout(mention);
    }
  };

  const stop = async (urgent: AbortSignal): Promise<void> => {
    stopping.abort();
    const stopped = new Map<string, Promise<void>>();
    for (const part of parts.toReversed()) {
      const dependents = parts
        .filter((other) => other.needs?.includes(part.name))
        .map((other) => stopped.get(other.name) ?? Promise.resolve());
      stopped.set(
        part.name,
        Promise.all(dependents).then(() => kept.get(part.name)?.stop(urgent)),
      );
    }
    await Promise.all(stopped.values());
  };

  const starts = new Map<string, Promise<void>>();
  for (const part of parts) {
    const needs = (part.needs ?? []).map((name) => starts.get(name) ?? Promise.resolve());
    starts.set(
      part.name,
      Promise.all(needs).then(() => startOne(part)),
    );
  }
  try {
    await Promise.all(starts.values());
  } catch (error) {
    stopping.abort();
    await Promise.allSettled(starts.values());
    await stop(options.urgent);
    throw error;
  }
  return { facts, degraded, stop };
}
