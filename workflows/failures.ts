import { ApplicationFailure } from '@temporalio/workflow';
import type { DescribedFailure } from './contract/failure.ts';

/** One of our errors as a failure that ends a workflow or rejects an update: nothing retries it. */
export const applicationFailure = ({ code, detail, facts }: DescribedFailure): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message: detail, nonRetryable: true, details: [facts] });
