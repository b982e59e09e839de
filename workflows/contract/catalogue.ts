/** A service that comes with the cloudlet: what a plugin contributes, and what the host's activities use of it. */
import type { DiskFormat } from './image-source.ts';
import type { ServiceSpec } from './service.ts';

export interface CatalogueService {
  readonly spec: ServiceSpec;
  /** Only something for recipes to build on: not a service that anybody starts. */
  readonly base?: boolean;
  /**
   * Assembles a bootable disk in `workDirectory`, which is empty and thrown away afterwards. May run twice.
   * @returns path of the disk
   */
  assemble(context: AssembleContext): Promise<AssembledDisk>;
  /** Requests made once when the guest first answers, so that the saved state has warm caches. */
  readonly warmUp?: readonly WarmUpRequest[];
}

export interface AssembledDisk {
  readonly diskPath: string;
  readonly format: DiskFormat;
}

export interface AssembleContext {
  readonly workDirectory: string;
  /** Kept between assemblies, for downloaded packages; its content may vanish at any time. */
  readonly cacheDirectory: string;
  /** Further Debian packages that a recipe wants in it; for bases. */
  readonly packages?: readonly string[];
  readonly signal: AbortSignal;
  readonly log: AssembleLog;
  progress(percent: number, message: string): void;
}

export interface AssembleLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface WarmUpRequest {
  readonly guestPort: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly contentType?: string;
  /** Called when the request is made. */
  readonly body?: () => Promise<Uint8Array>;
}
