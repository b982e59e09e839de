import type { IncomingMessage, Server } from 'node:http';

const deadlines = new WeakMap<IncomingMessage, () => NodeJS.Timeout>();
const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * Cuts off requests whose body takes longer than `timeoutMs` to arrive, as Node's own `requestTimeout` would; but that
 * one knows no exception, and an upload may take hours.
 */
export function limitBodies(server: Server, timeoutMs: number): void {
  server.prependListener('request', (request, response) => {
    // Nobody reads the body of a GET, so it never ends: that all of it is there is seen only by asking.
    const cutOff = () => request.complete || server.emit('clientError', requestTimeout(), request.socket);
    const begin = () => setTimeout(cutOff, timeoutMs).unref();
    deadlines.set(request, begin);
    limitBody(request);
    const done = () => clearTimeout(timers.get(request));
    request.once('end', done);
    response.once('close', done);
  });
}

const requestTimeout = (): Error => Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** From now on the rest of the body has the usual time to arrive. */
export function limitBody(request: IncomingMessage): void {
  const begin = deadlines.get(request);
  clearTimeout(timers.get(request));
  if (begin && !request.complete) timers.set(request, begin());
}

/** Lets a body take as long as it likes: somebody types it. */
export const letBodyRest = (request: IncomingMessage): void => clearTimeout(timers.get(request));

/** Lets a body take as long as it likes, provided that something of it arrives within every `stallMs`. */
export function letBodyFlow(request: IncomingMessage, stallMs: number): void {
  clearTimeout(timers.get(request));
  if (!deadlines.has(request)) return;
  let read = request.socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete || request.destroyed) clearInterval(timer);
    else if (request.socket.bytesRead === read) request.destroy();
    read = request.socket.bytesRead;
  }, stallMs).unref();
  timers.set(request, timer);
}
