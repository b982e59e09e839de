import type { OperationKind, OperationState, Progress } from '../../../workflows/contract/operation.ts';

/** How an operation ended, for people. */
export interface OperationOutcome {
  readonly operationId: string;
  readonly operation: OperationKind;
  readonly state: Exclude<OperationState, 'running'>;
  /** Of the service that it was about. */
  readonly name: string;
  /** Whether an admin asked for it, and not some phone. */
  readonly byAdmin: boolean;
  /** Why it failed. */
  readonly detail?: string;
}

/** What the manager's server tells its pages while they are open. */
export type LiveMessage =
  /** `lost`: the API is gone, and the server tries to reach it again. */
  | { readonly kind: 'connection'; readonly state: 'live' | 'lost' }
  | { readonly kind: 'progress'; readonly operationId: string; readonly progress: Progress }
  | ({ readonly kind: 'outcome' } & OperationOutcome)
  /** Something that pages show has changed. */
  | { readonly kind: 'change' }
  /** The session is over. */
  | { readonly kind: 'signed-out' };

/** A message with the id that a page sends back when its connection broke. */
export interface Numbered<Message> {
  readonly id?: string;
  readonly message: Message;
}
