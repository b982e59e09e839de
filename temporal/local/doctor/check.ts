import type { Config } from '../../config/settings.ts';
import type { DataDir } from '../data-dir.ts';

/** What a check has found. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  /** What is, in a sentence without its full stop. */
  readonly finding: string;
  /** What it costs as it is, e.g. `each start takes 8 s longer`. */
  readonly cost?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** One question about this host. It changes nothing, and answers within seconds. */
export interface Check {
  readonly id: string;
  readonly title: string;
  run(context: DoctorContext): Promise<Finding>;
}

export interface DoctorContext {
  readonly config: Config;
  readonly dataDir: DataDir;
  /** The whole environment of programs that a check runs. */
  readonly environment: Readonly<Record<string, string>>;
  /** The libvirt that the cloudlet uses or would use. */
  readonly libvirt: LibvirtInUse;
  /** Whether the cloudlet of this data directory runs. */
  readonly isRunning: boolean;
}

export interface LibvirtInUse {
  /** `own` = embedded, configured and reaped by us; `host` = that of the configuration or of this host. */
  readonly kind: 'own' | 'host';
  /** Absent where it does not run now. */
  readonly uri?: string;
}

export const ok = (finding: string): Finding => ({ status: 'ok', finding });
