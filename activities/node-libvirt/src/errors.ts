import { ErrorCode } from './protocol/error-codes.ts';
import type { ValueOf } from './xdr/codec.ts';
import type { remoteError } from './protocol/remote-error.ts';

/** Every way in which a call fails, and whether the same call may succeed later without anybody changing anything. */
export const errorKinds = {
  /** libvirt said no: a {@link LibvirtError} with its code. */
  libvirt: { retryable: false },
  /** No connection could be made. */
  connect: { retryable: true },
  /** We were not let in, or asked for something this package does not speak. */
  unsupported: { retryable: false },
  /** The connection ended while the call was under way. Whether the daemon has carried it out is not known. */
  'connection-lost': { retryable: true },
  /** The other side sent something that is not libvirt's protocol; the connection was closed. */
  protocol: { retryable: false },
  /** The value cannot be sent; nothing was. */
  'invalid-argument': { retryable: false },
  /** `close` was called. */
  closed: { retryable: false },
  /** The call's signal was aborted. The daemon may still carry the call out. */
  aborted: { retryable: false },
  /** The call's time was over. The daemon may still carry the call out. */
  timeout: { retryable: true },
} as const satisfies Record<string, { readonly retryable: boolean }>;

export type RpcErrorKind = keyof typeof errorKinds;

/** What this package throws. `kind` says what happened, the message says it to people. */
export class RpcError extends Error {
  override readonly name: string = 'RpcError';
  readonly kind: RpcErrorKind;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(kind: RpcErrorKind, message: string, options?: ErrorOptions & { readonly retryable?: boolean }) {
    super(message, options);
    this.kind = kind;
    this.retryable = options?.retryable ?? errorKinds[kind].retryable;
  }
}

/** What libvirt says while another job holds the object, or a guest agent is busy. */
const passingCodes: ReadonlySet<number> = new Set([ErrorCode.OPERATION_TIMEOUT, ErrorCode.RESOURCE_BUSY, ErrorCode.AGENT_UNRESPONSIVE]);

/** libvirt's answer that it did not do what it was asked. */
export class LibvirtError extends RpcError {
  override readonly name = 'LibvirtError';
  /** One of `ErrorCode`. */
  readonly code: number;
  /** One of `ErrorDomain`: the part of libvirt that speaks. */
  readonly domain: number;
  /** One of `ErrorLevel`. */
  readonly level: number;
  /** What was called. */
  readonly procedure: string;

  constructor(procedure: string, body: Pick<ValueOf<typeof remoteError>, 'code' | 'domain' | 'level' | 'message'>) {
    super('libvirt', body.message ?? `libvirt failed with code ${body.code} and no message`, { retryable: passingCodes.has(body.code) });
    this.code = body.code;
    this.domain = body.domain;
    this.level = body.level;
    this.procedure = procedure;
  }
}

/** Whether libvirt answered with this code: `isLibvirtError(error, ErrorCode.NO_DOMAIN)`. */
export function isLibvirtError(error: unknown, code: number): error is LibvirtError {
  return error instanceof LibvirtError && error.code === code;
}
