import 'server-only';
import type { Numbered } from './live-message.ts';
import { serverStopping } from './server-stopping.ts';

/**
 * Messages as server-sent events; each one is JSON.
 * @param watch gets a signal that aborts when the page is gone or the server is asked to stop
 */
export function eventStream<Message>(watch: (signal: AbortSignal) => AsyncIterable<Numbered<Message>>): Response {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  const iterator = watch(AbortSignal.any([gone.signal, serverStopping()]))[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (gone.signal.aborted) return;
      if (done) controller.close();
      else controller.enqueue(encoder.encode(encode(value)));
    },
    cancel() {
      gone.abort();
    },
  });
  return new Response(body, { headers });
}

const headers: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  // A server that stops waits for connections that might be used again.
  connection: 'close',
};

function encode<Message>({ id, message }: Numbered<Message>): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;
}
