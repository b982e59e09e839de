import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { CloudletError, toProblem } from '../../workflows/contract/errors.ts';

/** What Node says of a request that never became one, in our words. */
const errors: Readonly<Record<string, () => CloudletError>> = {
  HPE_HEADER_OVERFLOW: () =>
    new CloudletError('header-too-large', 'The headers are larger than this server takes. Send fewer or shorter ones.'),
  ERR_HTTP_REQUEST_TIMEOUT: () =>
    new CloudletError('request-timeout', 'The request did not arrive in time. Send it again, all of it at once.'),
};
const unreadable = () => new CloudletError('invalid-input', 'This is not HTTP/1.1 as this server reads it.');

/** Answers a request that could not be read, and closes its connection: where the next one would begin, nobody knows. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const problem = toProblem((errors[error.code ?? ''] ?? unreadable)());
    const body = JSON.stringify(problem);
    socket.write(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
        'content-type: application/problem+json; charset=utf-8',
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroySoon();
}
