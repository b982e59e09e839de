import type { ConnectionOptions } from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** What most calls take at most, a restart of the server in between. */
const defaultMs = 5_000;

/**
 * Calls that wait for somebody else: for a worker to take up an update, which a busy one does late, or for an outcome,
 * for as long as it takes (0). Those end when the server is gone.
 */
const otherMs: Readonly<Record<string, number>> = {
  ExecuteMultiOperation: 20_000,
  UpdateWorkflowExecution: 20_000,
  PollWorkflowExecutionUpdate: 0,
  GetWorkflowExecutionHistory: 0,
};

/** Gives every call its deadline, tries included: a server that is away is to be told of, not waited for. */
export const withDeadlines: Interceptor = (options, nextCall) => {
  const name = options.method_definition.path.split('/').at(-1)!;
  const waitMs = otherMs[name] ?? defaultMs;
  const deadline = options.deadline ?? (waitMs === 0 ? undefined : Date.now() + waitMs);
  // What an interceptor makes is what the next one made, here with another option.
  return nextCall({ ...options, ...(deadline === undefined ? {} : { deadline }) }) as ReturnType<Interceptor>;
};
