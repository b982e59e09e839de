import type { FastifyRequest } from 'fastify';
import { msPerSecond } from '../../workflows/contract/units.ts';

const maximumWaitSeconds = 120;

/** How long the client would like to wait for an outcome (RFC 7240, `Prefer: wait=N`), ms; 0 when it did not say. */
export function waitPreferenceMs(request: FastifyRequest): number {
  const header = [request.headers.prefer].flat().join(',');
  const match = /(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])/i.exec(header);
  return match ? Math.min(Number(match[1]), maximumWaitSeconds) * msPerSecond : 0;
}
