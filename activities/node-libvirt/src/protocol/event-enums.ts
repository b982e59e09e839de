/** What a domain event tells: numbers of `libvirt-domain.h`. */

/** What happened to a domain (`virDomainEventType`). */
export const LifecycleEventType = {
  DEFINED: 0,
  UNDEFINED: 1,
  STARTED: 2,
  SUSPENDED: 3,
  RESUMED: 4,
  STOPPED: 5,
  SHUTDOWN: 6,
  PMSUSPENDED: 7,
  CRASHED: 8,
} as const;

/** How it was defined. */
export const DefinedDetail = {
  ADDED: 0,
  UPDATED: 1,
  RENAMED: 2,
  FROM_SNAPSHOT: 3,
} as const;

/** How it was undefined. */
export const UndefinedDetail = {
  REMOVED: 0,
  RENAMED: 1,
} as const;

/** How it was started. */
export const StartedDetail = {
  BOOTED: 0,
  MIGRATED: 1,
  RESTORED: 2,
  FROM_SNAPSHOT: 3,
  WAKEUP: 4,
} as const;

/** Why it was suspended. */
export const SuspendedDetail = {
  PAUSED: 0,
  MIGRATED: 1,
  IOERROR: 2,
  WATCHDOG: 3,
  RESTORED: 4,
  FROM_SNAPSHOT: 5,
  API_ERROR: 6,
  POSTCOPY: 7,
  POSTCOPY_FAILED: 8,
} as const;

/** Why it was resumed. */
export const ResumedDetail = {
  UNPAUSED: 0,
  MIGRATED: 1,
  FROM_SNAPSHOT: 2,
  POSTCOPY: 3,
  POSTCOPY_FAILED: 4,
} as const;

/** Why it stopped. */
export const StoppedDetail = {
  SHUTDOWN: 0,
  DESTROYED: 1,
  CRASHED: 2,
  MIGRATED: 3,
  SAVED: 4,
  FAILED: 5,
  FROM_SNAPSHOT: 6,
} as const;

/** Who asked for the shutdown. */
export const ShutdownDetail = {
  FINISHED: 0,
  GUEST: 1,
  HOST: 2,
} as const;

/** Where its own power management suspended it to. */
export const PmSuspendedDetail = {
  MEMORY: 0,
  DISK: 1,
} as const;

/** How it crashed. */
export const CrashedDetail = {
  PANICKED: 0,
  CRASHLOADED: 1,
} as const;

/** What the watchdog did. */
export const WatchdogAction = {
  NONE: 0,
  PAUSE: 1,
  RESET: 2,
  POWEROFF: 3,
  SHUTDOWN: 4,
  DEBUG: 5,
  INJECTNMI: 6,
} as const;

/** What was done about an I/O error. */
export const IoErrorAction = {
  NONE: 0,
  PAUSE: 1,
  REPORT: 2,
} as const;

/** State of the guest agent. */
export const AgentState = {
  CONNECTED: 1,
  DISCONNECTED: 2,
} as const;

/** Why the state of the guest agent changed. */
export const AgentReason = {
  UNKNOWN: 0,
  DOMAIN_STARTED: 1,
  CHANNEL: 2,
} as const;
