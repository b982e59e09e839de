/** Between our errors and Temporal's failures, without knowing Temporal: both sides agree on plain fields. */
import { CloudletError, isErrorCode, type ErrorCode, type ErrorFacts } from './errors.ts';

/** An error as rows, results and progress carry it. */
export interface DescribedFailure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly facts: ErrorFacts;
}

/** Fields of an `ApplicationFailure` that carries one of our errors. */
interface CodedFailure {
  readonly type: ErrorCode;
  readonly message: string;
  readonly details?: readonly ErrorFacts[] | null;
}

const isCoded = (value: object): value is CodedFailure => 'type' in value && isErrorCode(value.type) && 'message' in value;

/**
 * What went wrong, read from an error of ours or from the failure that Temporal wrapped around it.
 * Whatever is not one of ours is `internal`: its text may name things that outsiders should not see.
 */
export function describeFailure(error: unknown): DescribedFailure {
  for (let link: unknown = error; link instanceof Error; link = link.cause) {
    if (link instanceof CloudletError) return { code: link.code, detail: link.message, facts: link.facts };
    if (isCoded(link)) return { code: link.type, detail: link.message, facts: link.details?.[0] ?? {} };
  }
  return { code: 'internal', detail: 'Something went wrong on the cloudlet. Its log and Temporal UI have the details.', facts: {} };
}

export const toCloudletError = ({ code, detail, facts }: DescribedFailure): CloudletError => new CloudletError(code, detail, facts);
