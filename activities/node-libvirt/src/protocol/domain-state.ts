import {
  BlockedReason,
  CrashedReason,
  DomainState,
  NoStateReason,
  PausedReason,
  PmSuspendedReason,
  RunningReason,
  ShutdownReason,
  ShutoffReason,
} from './domain-enums.ts';
import { enumName, type NameOf } from './enum-name.ts';

const reasonsByState = {
  [DomainState.NOSTATE]: NoStateReason,
  [DomainState.RUNNING]: RunningReason,
  [DomainState.BLOCKED]: BlockedReason,
  [DomainState.PAUSED]: PausedReason,
  [DomainState.SHUTDOWN]: ShutdownReason,
  [DomainState.SHUTOFF]: ShutoffReason,
  [DomainState.CRASHED]: CrashedReason,
  [DomainState.PMSUSPENDED]: PmSuspendedReason,
} as const;

type ReasonsByState = typeof reasonsByState;
export type DomainStateReason = { [S in keyof ReasonsByState]: NameOf<ReasonsByState[S]> }[keyof ReasonsByState];

/** The name of a state's reason, whose numbers mean something else for each state. */
export function domainStateReason(state: number, reason: number): DomainStateReason {
  return state in reasonsByState ? enumName(reasonsByState[state as keyof ReasonsByState], reason) : 'UNKNOWN';
}
