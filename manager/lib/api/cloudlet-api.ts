import 'server-only';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { OperationKind, OperationState } from '../../../workflows/contract/operation.ts';
import { responseError, unreachableError } from './api-error.ts';
import type {
  Cloudlet,
  CloudletEvent,
  Health,
  Operation,
  OperationPage,
  Plugin,
  Service,
  ServiceVm,
  ServiceVmPage,
  StartAnswer,
} from './bodies.ts';

/** Longer than the API itself takes for anything that it does not answer with an operation. */
const requestTimeoutMs = 15_000;

export interface OperationQuery {
  readonly state?: OperationState;
  readonly kind?: OperationKind;
  readonly subject?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface ServiceVmQuery {
  readonly state?: 'live' | 'all';
  readonly serviceId?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface EventQuery {
  /** Id of the last event that is known already; from now on where it is unknown. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Speaks `/v1` for one signed-in admin. Every method rejects with `ApiError`: what the API answered, or that it
 * cannot be reached.
 */
export class CloudletApi {
  readonly #baseUrl: string;
  readonly #token: string | undefined;

  /** @param options.token of a session; without one only what is open to everybody works */
  constructor({ baseUrl, token }: { baseUrl: string; token?: string | undefined }) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  cloudlet(): Promise<Cloudlet> {
    return this.#json('GET', '/v1/cloudlet');
  }

  /** Answers as well when the cloudlet is not ready: that is what it tells. */
  async health(): Promise<Health> {
    const response = await this.#fetch('GET', '/health/ready', {});
    if (!response.ok && response.status !== 503) throw await responseError(response);
    return (await response.json()) as Health;
  }

  async services(): Promise<readonly Service[]> {
    return (await this.#json<{ services: readonly Service[] }>('GET', '/v1/services')).services;
  }

  serviceVms(query: ServiceVmQuery = {}): Promise<ServiceVmPage> {
    return this.#json('GET', `/v1/service-vms${queryText({ ...query })}`);
  }

  serviceVm(id: string): Promise<ServiceVm> {
    return this.#json('GET', `/v1/service-vms/${encodeURIComponent(id)}`);
  }

  /** What the guest wrote to its serial console. */
  async serviceVmLog(id: string): Promise<string> {
    const response = await this.#answer('GET', `/v1/service-vms/${encodeURIComponent(id)}/log`);
    return response.text();
  }

  /** @param requestId repeating the request with the same one starts nothing twice */
  startService(serviceId: string, requestId: string): Promise<StartAnswer> {
    return this.#json('POST', '/v1/service-vms', { serviceId }, { 'idempotency-key': requestId });
  }

  /** Uses an instance that runs, which holds it for the length of one more lease. */
  joinServiceVm(id: string): Promise<StartAnswer> {
    return this.#json('POST', `/v1/service-vms/${encodeURIComponent(id)}/join`);
  }

  stopServiceVm(id: string): Promise<{ readonly operationId: string }> {
    return this.#json('POST', `/v1/service-vms/${encodeURIComponent(id)}/stop`);
  }

  operations(query: OperationQuery = {}): Promise<OperationPage> {
    return this.#json('GET', `/v1/operations${queryText({ ...query })}`);
  }

  operation(id: string): Promise<Operation> {
    return this.#json('GET', `/v1/operations/${encodeURIComponent(id)}`);
  }

  cancelOperation(id: string): Promise<Operation> {
    return this.#json('POST', `/v1/operations/${encodeURIComponent(id)}/cancel`);
  }

  async plugins(): Promise<readonly Plugin[]> {
    return (await this.#json<{ plugins: readonly Plugin[] }>('GET', '/v1/plugins')).plugins;
  }

  /** Turns a sign-in code into a session. */
  createSession(code: string): Promise<{ readonly token: string; readonly expiresInSeconds: number }> {
    return this.#json('POST', '/v1/sessions', { code });
  }

  async endSession(): Promise<void> {
    await this.#answer('DELETE', '/v1/sessions/current');
  }

  /** Everything that happens, until the signal says stop or the connection breaks. */
  events(query: EventQuery): AsyncGenerator<CloudletEvent> {
    return this.#events('/v1/events', query);
  }

  /** What happened and happens to one operation; ends after the event that says how it ended. */
  operationEvents(id: string, query: EventQuery): AsyncGenerator<CloudletEvent> {
    return this.#events(`/v1/operations/${encodeURIComponent(id)}/events`, query);
  }

  async *#events(path: string, { after, signal }: EventQuery): AsyncGenerator<CloudletEvent> {
    const headers = { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) };
    const response = await this.#fetch('GET', path, { headers, signal });
    if (!response.ok || !response.body) throw await responseError(response);
    const messages = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { id = '', event: type = 'message', data } of messages) {
      yield { id, type, data: JSON.parse(data) as Record<string, unknown> };
    }
  }

  async #json<Answer>(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Answer> {
    const response = await this.#answer(method, path, body, headers);
    return (await response.json()) as Answer;
  }

  async #answer(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const init =
      body === undefined ? { headers } : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.#fetch(method, path, init);
    if (!response.ok) throw await responseError(response);
    return response;
  }

  async #fetch(method: string, path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    try {
      return await fetch(this.#baseUrl + path, {
        signal: AbortSignal.timeout(requestTimeoutMs),
        ...init,
        method,
        headers,
        cache: 'no-store',
      });
    } catch (error) {
      throw unreachableError(error);
    }
  }
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
