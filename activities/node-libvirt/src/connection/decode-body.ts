import { LibvirtError, RpcError } from '../errors.ts';
import { events, type DomainEvent } from '../protocol/events.ts';
import { remoteError } from '../protocol/remote-error.ts';
import type { Codec } from '../xdr/codec.ts';
import { XdrDecoder } from '../xdr/xdr-decoder.ts';
import { XdrError } from '../xdr/xdr-error.ts';

/**
 * The value that a whole body holds.
 * @param what what was read, for the message: `the reply to nodeGetInfo`
 * @throws RpcError `protocol` when the body is anything else
 */
export function decodeBody<T>(codec: Codec<T>, body: Buffer, what: string): T {
  try {
    const decoder = new XdrDecoder(body);
    const value = codec.decode(decoder);
    decoder.end();
    return value;
  } catch (cause) {
    if (!(cause instanceof XdrError)) throw cause;
    throw new RpcError('protocol', `The daemon sent something unreadable as ${what}: ${cause.message}.`, { cause });
  }
}

/** The event in the body of a message. */
export function decodeEvent(kind: DomainEvent['kind'], body: Buffer): DomainEvent {
  const definition: { readonly body: Codec<unknown>; payload(body: unknown): object } = events[kind];
  return { kind, ...definition.payload(decodeBody(definition.body, body, `a ${kind} event`)) } as DomainEvent;
}

/** The error in the body of a reply or stream packet that says no. */
export function decodeError(procedure: string, body: Buffer): LibvirtError {
  return new LibvirtError(procedure, decodeBody(remoteError, body, `the error of ${procedure}`));
}
