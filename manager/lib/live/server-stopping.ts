import 'server-only';

let stopping: AbortController | undefined;

/**
 * Aborted when this process is asked to stop. Next waits for every open connection then, and a stream of events never
 * ends by itself.
 */
export function serverStopping(): AbortSignal {
  if (!stopping) {
    stopping = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping?.abort());
  }
  return stopping.signal;
}
