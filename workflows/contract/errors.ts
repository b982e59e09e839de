/**
 * Every way in which the cloudlet says no, in one table.
 *
 * The code is the type of an `ApplicationFailure` inside Temporal and the type of a problem
 * (RFC 9457) outside, so an error keeps its name from libvirt to the phone.
 */

export interface ErrorKind {
  /** Short, stable sentence for people; the detail of one occurrence is the error's message. */
  readonly title: string;
  readonly httpStatus: number;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

export const errorCatalogue = {
  'invalid-input': { title: 'The request is not valid', httpStatus: 400, retryable: false },
  unauthenticated: { title: 'Sign in first', httpStatus: 401, retryable: false },
  forbidden: { title: 'This is not allowed', httpStatus: 403, retryable: false },
  'not-found': { title: 'There is no such thing', httpStatus: 404, retryable: false },
  'method-not-allowed': { title: 'This method is not for this path', httpStatus: 405, retryable: false },
  'not-acceptable': { title: 'There is no answer in that form', httpStatus: 406, retryable: false },
  'request-timeout': { title: 'The request took too long to arrive', httpStatus: 408, retryable: true },
  'state-conflict': { title: 'Its state does not allow this', httpStatus: 409, retryable: false },
  'operation-in-progress': { title: 'Another operation holds it', httpStatus: 409, retryable: false },
  'name-taken': { title: 'The name is taken', httpStatus: 409, retryable: false },
  'incompatible-target': { title: 'The target cannot run it', httpStatus: 409, retryable: false },
  'precondition-failed': { title: 'It has changed since you read it', httpStatus: 412, retryable: false },
  'payload-too-large': { title: 'The request is too large', httpStatus: 413, retryable: false },
  'unsupported-media-type': { title: 'The content type is not understood', httpStatus: 415, retryable: false },
  'unprocessable-bundle': { title: 'The bundle is refused', httpStatus: 422, retryable: false },
  'checksum-mismatch': { title: 'The bytes are not what they were said to be', httpStatus: 422, retryable: false },
  'unsafe-image': { title: 'The disk image is refused', httpStatus: 422, retryable: false },
  'range-not-satisfiable': { title: 'The file has no such part', httpStatus: 416, retryable: false },
  'unprocessable-app': { title: 'The app is refused', httpStatus: 422, retryable: false },
  'recipe-failed': { title: 'The recipe failed', httpStatus: 422, retryable: false },
  'rate-limited': { title: 'Too many requests', httpStatus: 429, retryable: true },
  'header-too-large': { title: 'The request headers are too large', httpStatus: 431, retryable: false },
  cancelled: { title: 'It was cancelled', httpStatus: 409, retryable: false },
  'capacity-exhausted': { title: 'No room on this cloudlet', httpStatus: 503, retryable: false },
  'disk-read-only': { title: 'The disk of the host cannot be written to', httpStatus: 503, retryable: false },
  'hypervisor-unavailable': { title: 'The hypervisor does not answer', httpStatus: 503, retryable: true },
  'store-unavailable': { title: 'The database does not answer', httpStatus: 503, retryable: true },
  'workflow-unavailable': { title: 'The workflow engine does not answer', httpStatus: 503, retryable: true },
  'shutting-down': { title: 'The cloudlet is stopping', httpStatus: 503, retryable: true },
  'image-unavailable': { title: 'The image is missing or damaged', httpStatus: 503, retryable: false },
  'hypervisor-refused': { title: 'The hypervisor refused', httpStatus: 502, retryable: false },
  'transfer-interrupted': { title: 'The transfer was interrupted', httpStatus: 502, retryable: true },
  'guest-unresponsive': { title: 'The guest does not answer', httpStatus: 504, retryable: false },
  internal: { title: 'Something went wrong here', httpStatus: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** One violated rule of an input: `pointer` is a JSON pointer (RFC 6901) into it. */
export interface InputError {
  readonly pointer: string;
  readonly message: string;
}

/** Facts of one occurrence that programs read; everything must survive JSON. */
export interface ErrorFacts {
  readonly errors?: readonly InputError[];
  readonly retryAfterSeconds?: number;
  /** What was asked for and what is left, in the named unit, when `capacity-exhausted`. */
  readonly needed?: number;
  readonly free?: number;
  readonly resource?: 'memory' | 'disk' | 'port' | 'users' | 'vcpu';
  /** The state that stands in the way, or the operation that holds the thing. */
  readonly state?: string;
  readonly operationId?: string;
  /** libvirt's own words, when `hypervisor-refused`. */
  readonly libvirt?: { readonly code: number; readonly domain: number; readonly message: string };
}

/** An expected failure. Its message is a sentence for people: what is wrong and what to do. */
export class CloudletError extends Error {
  override readonly name = 'CloudletError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code];
  }
}

/** Namespace of problem types: `urn:cloudlet:problem:capacity-exhausted`. */
export const problemTypePrefix = 'urn:cloudlet:problem:';

/** RFC 9457 `application/problem+json`, with our code and facts as extension members. */
export interface Problem extends ErrorFacts {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly traceId?: string;
}

/** @param traceId the request's id, so that a person can name the log lines that belong to it */
export function toProblem(error: CloudletError, traceId?: string): Problem {
  return {
    type: problemTypePrefix + error.code,
    title: error.kind.title,
    status: error.kind.httpStatus,
    detail: error.message,
    code: error.code,
    ...error.facts,
    ...(traceId === undefined ? {} : { traceId }),
  };
}

/** The error that a problem tells of. */
export function fromProblem({
  type: _type,
  title: _title,
  status: _status,
  traceId: _traceId,
  code,
  detail,
  ...facts
}: Problem): CloudletError {
  return new CloudletError(isErrorCode(code) ? code : 'internal', detail, facts);
}
