import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as sendRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { CloudletError, fromProblem, type Problem } from '../../workflows/contract/errors.ts';
import { localApiUrl } from '../config/local-api-url.ts';
import type { Config } from '../config/settings.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Speaks `/v1` of the cloudlet on this machine, as its admin. */
export class ApiClient {
  readonly #base: string;
  readonly #tokenPath: string;

  constructor(config: Pick<Config, 'apiHost' | 'apiPort' | 'dataDir'>) {
    this.#base = localApiUrl(config);
    this.#tokenPath = join(config.dataDir, 'admin.token');
  }

  /** @throws CloudletError what the API answered, or that nobody answered */
  async request<Answer>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.#fetch(method, path, body, headers);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  /** Reads a resource with its entity tag, for `If-Match` of a change that is made on it. */
  async read(path: string): Promise<{ readonly body: unknown; readonly tag: string | null }> {
    const response = await this.#fetch('GET', path);
    return { body: await response.json(), tag: response.headers.get('etag') };
  }

  async text(path: string): Promise<string> {
    return (await this.#fetch('GET', path)).text();
  }

  /** Sends bytes as they are, or nothing. @returns the headers of the answer */
  async send(method: string, path: string, headers: Record<string, string>, bytes?: Uint8Array): Promise<Headers> {
    return (await this.#fetch(method, path, bytes, headers)).headers;
  }

  /** Bytes of a file, from an offset on. */
  async *download(path: string, offset: number): AsyncGenerator<Uint8Array> {
    const response = await this.#fetch('GET', path, undefined, offset === 0 ? {} : { range: `bytes=${offset}-` });
    yield* response.body!;
  }

  /**
   * Server-sent events of a path, until they end.
   * @param after the id of the last one that is known already
   * @throws CloudletError `transfer-interrupted` when they break off
   */
  async *events(path: string, after = ''): AsyncGenerator<ServerEvent> {
    const headers = { accept: 'text/event-stream', ...(after === '' ? {} : { 'last-event-id': after }) };
    const response = await this.#fetch('GET', path, undefined, headers);
    const messages = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    const reader = messages.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error: unknown) => {
          throw new CloudletError('transfer-interrupted', 'The connection to the cloudlet broke off.', {}, { cause: error });
        });
        if (done) return;
        const { id = '', event = 'message', data } = value;
        yield { id, event, data: JSON.parse(data) as Record<string, unknown> };
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /**
   * Finds out before anything large is read or copied that it would be for nothing.
   * @throws CloudletError where no cloudlet answers, or we are not its admin
   */
  async requireAdmin(): Promise<void> {
    await this.request('GET', '/v1/operations?limit=1');
  }

  /**
   * Sends what comes in as it comes, and hands on what is answered as it comes, until either side ends.
   * @throws CloudletError what the API answered, or that nobody answered
   */
  async talk(path: string, input: Readable, output: Writable): Promise<void> {
    const request = sendRequest(this.#base + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token()}`, 'content-type': 'application/octet-stream' },
    });
    try {
      const answered = once(request, 'response') as Promise<[IncomingMessage]>;
      // Nothing may be typed for a while, and what is printed is wanted now.
      request.flushHeaders();
      pipeline(input, request).catch(() => request.destroy());
      const [response] = await answered.catch((error: unknown) => {
        throw this.#nobodyAnswers(error);
      });
      const { statusCode = 500 } = response;
      if (statusCode >= 400) throw await problemOf(new Response(await text(response), { status: statusCode }));
      await pipeline(response, output, { end: false }).catch((cause: unknown) => {
        throw new CloudletError('transfer-interrupted', 'The connection to the cloudlet broke off.', {}, { cause });
      });
    } finally {
      request.destroy();
    }
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(`${this.#base}/health/ready`).catch(() => undefined);
    return response?.ok === true;
  }

  async signInCode(): Promise<string> {
    const { code } = await this.request<{ code: string }>('POST', '/v1/sign-in-codes');
    return code;
  }

  async #fetch(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const authorization = `Bearer ${this.#token()}`;
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: { authorization, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        ...(body ? { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) } : {}),
      });
    } catch (error) {
      throw this.#nobodyAnswers(error);
    }
    if (response.ok) return response;
    throw await problemOf(response);
  }

  #nobodyAnswers(cause: unknown): CloudletError {
    return new CloudletError('workflow-unavailable', `No cloudlet answers at ${this.#base}. Start one: npm start.`, {}, { cause });
  }

  #token(): string {
    try {
      return readFileSync(this.#tokenPath, 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') {
        throw new CloudletError('unauthenticated', `The admin token ${this.#tokenPath} is not readable for you; use sudo.`);
      }
      throw new CloudletError(
        'unauthenticated',
        `There is no admin token at ${this.#tokenPath}: no cloudlet was started there yet (npm start), or it keeps its data elsewhere (CLOUDLET_DATA_DIR).`,
      );
    }
  }
}

async function problemOf(response: Response): Promise<CloudletError> {
  const text = await response.text();
  try {
    return fromProblem(JSON.parse(text) as Problem);
  } catch {
    return new CloudletError('internal', `The API answered ${response.status}: ${text.slice(0, 200)}`);
  }
}
