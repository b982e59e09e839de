import type { Caller, CallOptions } from '../caller.ts';
import { JobType } from '../protocol/domain-enums.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { DomainReference } from '../protocol/references.ts';
import { typedParameterRecord, type TypedParameter, type TypedParameterRecord } from '../protocol/typed-parameters.ts';
import type { FlagOptions } from './flag-options.ts';

/** Progress in bytes. Numbers beyond 2^53 are rounded. */
export interface JobProgress {
  readonly total: number;
  readonly processed: number;
  readonly remaining: number;
}

export interface JobInfo {
  readonly type: NameOf<typeof JobType>;
  readonly timeElapsedMs: number;
  readonly timeRemainingMs: number;
  readonly data: JobProgress;
  readonly memory: JobProgress;
  readonly disk: JobProgress;
}

export interface JobStatistics {
  readonly type: NameOf<typeof JobType>;
  /** By libvirt's names: `time_elapsed` (ms), `memory_remaining` (bytes), `downtime` (ms), `operation` (`JobOperation`)... */
  readonly statistics: TypedParameterRecord;
  readonly parameters: readonly TypedParameter[];
}

/** What works on a domain as a whole: a save, a restore, a migration, a dump. */
export class DomainJob {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /** `NONE` when nothing is under way. */
  async info(options?: CallOptions): Promise<JobInfo> {
    const reply = await this.#caller.call('domainGetJobInfo', { domain: this.#domain }, options);
    return {
      type: enumName(JobType, reply.type),
      timeElapsedMs: Number(reply.timeElapsedMs),
      timeRemainingMs: Number(reply.timeRemainingMs),
      data: progress(reply.dataTotal, reply.dataProcessed, reply.dataRemaining),
      memory: progress(reply.memoryTotal, reply.memoryProcessed, reply.memoryRemaining),
      disk: progress(reply.fileTotal, reply.fileProcessed, reply.fileRemaining),
    };
  }

  /** More than {@link info}. `flags` are `JobStatsFlag`: with `COMPLETED`, of the job that ended last. */
  async statistics({ flags = 0, ...options }: FlagOptions = {}): Promise<JobStatistics> {
    const { type, parameters } = await this.#caller.call('domainGetJobStats', { domain: this.#domain, flags }, options);
    return { type: enumName(JobType, type), statistics: typedParameterRecord(parameters), parameters };
  }

  /** Stops the job. The call that began it then fails with `OPERATION_ABORTED`. */
  async abort(options?: CallOptions): Promise<void> {
    await this.#caller.call('domainAbortJob', { domain: this.#domain }, options);
  }

  /** Like {@link abort}, with `AbortJobFlag`; libvirt 8.5 or newer. */
  async abortWithFlags({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainAbortJobFlags', { domain: this.#domain, flags }, options);
  }
}

function progress(total: bigint, processed: bigint, remaining: bigint): JobProgress {
  return { total: Number(total), processed: Number(processed), remaining: Number(remaining) };
}
