import { enumName, type NameOf } from './enum-name.ts';
import {
  CrashedDetail,
  DefinedDetail,
  LifecycleEventType,
  PmSuspendedDetail,
  ResumedDetail,
  ShutdownDetail,
  StartedDetail,
  StoppedDetail,
  SuspendedDetail,
  UndefinedDetail,
} from './event-enums.ts';

const detailsByEvent = {
  [LifecycleEventType.DEFINED]: DefinedDetail,
  [LifecycleEventType.UNDEFINED]: UndefinedDetail,
  [LifecycleEventType.STARTED]: StartedDetail,
  [LifecycleEventType.SUSPENDED]: SuspendedDetail,
  [LifecycleEventType.RESUMED]: ResumedDetail,
  [LifecycleEventType.STOPPED]: StoppedDetail,
  [LifecycleEventType.SHUTDOWN]: ShutdownDetail,
  [LifecycleEventType.PMSUSPENDED]: PmSuspendedDetail,
  [LifecycleEventType.CRASHED]: CrashedDetail,
} as const;

type DetailsByEvent = typeof detailsByEvent;
export type LifecycleDetail = { [E in keyof DetailsByEvent]: NameOf<DetailsByEvent[E]> }[keyof DetailsByEvent];

/** The name of a lifecycle event's detail, whose numbers mean something else for each event. */
export function lifecycleDetail(event: number, detail: number): LifecycleDetail {
  return event in detailsByEvent ? enumName(detailsByEvent[event as keyof DetailsByEvent], detail) : 'UNKNOWN';
}
