import type { FastifyReply } from 'fastify';
import { CloudletError, type ErrorCode } from '../../workflows/contract/errors.ts';

/** What the protocol's library says no with, by its status, in the codes of our catalogue. */
const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-input',
  403: 'invalid-input',
  404: 'not-found',
  409: 'state-conflict',
  410: 'not-found',
  412: 'precondition-failed',
  413: 'payload-too-large',
  501: 'invalid-input',
};

/** Browsers of other origins are nobody that we serve. */
const isForBrowsers = (name: string): boolean => name.startsWith('access-control-');

/**
 * Puts what the library answers into a reply. It has no body; a refusal is told in our own words.
 * @throws CloudletError of its refusal
 */
export async function putTusAnswer(reply: FastifyReply, answer: Response): Promise<void> {
  for (const [name, value] of answer.headers) {
    if (!isForBrowsers(name) && !name.startsWith('content-')) void reply.header(name, value);
  }
  void reply.code(answer.status);
  if (answer.ok) return;
  const code = codes[answer.status] ?? 'internal';
  if (code === 'precondition-failed') void reply.header('tus-version', '1.0.0');
  throw new CloudletError(code, sentence(await answer.text()));
}

const sentence = (text: string): string => `The upload is refused: ${text.trim().replace(/\.$/, '')}.`;
