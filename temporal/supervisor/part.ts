/**
 * One thing that must be up, or done, before a cloudlet is ready: a process, a daemon that outlives us, or a step that is
 * over once it is done.
 *
 * `Facts` is what parts tell those that need them, e.g. the URL of a database.
 */
export interface Part<Facts extends object> {
  /** kebab-case, unique; also the name of its log. */
  readonly name: string;
  /** For people, e.g. `PostgreSQL`. */
  readonly title: string;
  /** Names of the parts that must be up before this one starts. */
  readonly needs?: readonly string[];
  /** Without it the cloudlet serves on, degraded: its failure is said, and it is tried again. */
  readonly optional?: boolean;
  /**
   * Brings it up and resolves once it does its work.
   *
   * @throws when it cannot be brought up; the message is a sentence for people
   */
  start(context: PartContext<Facts>): Promise<RunningPart<Facts>>;
}

export interface PartContext<Facts extends object> {
  /** What the parts before this one have told. */
  readonly facts: Partial<Facts>;
  readonly logPath: string;
  /** Aborted when nobody wants it any more. */
  readonly signal: AbortSignal;
}

export interface RunningPart<Facts extends object> {
  /** What people are told beside its title, e.g. an address. */
  readonly detail: string;
  readonly facts?: Partial<Facts>;
  /** Settles, with the reason in words, when it is gone without our doing. It is then started again. */
  readonly ended?: Promise<string>;
  /** Ends it; at once when `urgent` is aborted. Never rejects. */
  stop?(urgent: AbortSignal): Promise<void>;
}
