import type { Problem } from '../../../workflows/contract/errors.ts';

/** A problem as the pages show it: one of the API's, or that the API itself cannot be asked. */
export type ShownProblem = Omit<Problem, 'code'> & { readonly code: Problem['code'] | 'api-unreachable' };

/** Thrown by `CloudletApi` when the answer is no, or when there is none. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly problem: ShownProblem;

  constructor(problem: ShownProblem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }

  /** Whether the session is over, so that only signing in again helps. */
  get signedOut(): boolean {
    return this.problem.status === 401;
  }
}

const unreachable = (detail: string, cause?: unknown): ApiError =>
  new ApiError({ type: 'about:blank', title: 'The cloudlet does not answer', status: 503, detail, code: 'api-unreachable' }, { cause });

/** @param cause what `fetch` threw */
export function unreachableError(cause: unknown): ApiError {
  const late = cause instanceof DOMException && cause.name === 'TimeoutError';
  return unreachable(
    late
      ? 'Its API took too long. This page tries again by itself; `npx cloudlet doctor` checks the machine.'
      : 'Its API is not running. Start it with `npm start`; this page comes back by itself.',
    cause,
  );
}

/** The problem that a response carries; a response of somebody else's making becomes one. */
export async function responseError(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as ShownProblem;
    if (typeof problem.title === 'string' && typeof problem.detail === 'string') return new ApiError(problem);
  } catch {
    // Not JSON: told below.
  }
  return unreachable(`Something answered with status ${response.status} where its API should be. Check what listens on that port.`);
}
