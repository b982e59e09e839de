import { nothing, struct, type Codec, type Fields, type StructOf } from '../xdr/codec.ts';
import { Program } from './constants.ts';
import { CreateFlag } from './domain-flags.ts';

/** Which way the bytes of a procedure's stream go, seen from here. */
export type StreamDirection = 'read' | 'write' | 'both';

/** One call of the protocol: its number, and what goes out and comes back. */
export interface Procedure<Arguments, Reply> {
  readonly program: number;
  readonly number: number;
  readonly args: Codec<Arguments>;
  readonly reply: Codec<Reply>;
  /** Whether the daemon may take its time over it: such calls are kept off the connection of the quick ones. */
  readonly long: boolean;
  /** Set when the reply is followed by a stream. */
  readonly stream: StreamDirection | undefined;
  /** Whether the daemon undoes the effect of such a call when the connection that made it ends. */
  tied?(args: Arguments): boolean;
}

/** A procedure of libvirt's main program, from `remote_protocol.x`. Without `reply`, its reply is empty. */
export function remote<A extends Fields>(number: number, args: A): Procedure<StructOf<A>, void>;
export function remote<A extends Fields, R extends Fields>(number: number, args: A, reply: R): Procedure<StructOf<A>, StructOf<R>>;
export function remote(number: number, args: Fields, reply?: Fields): Procedure<unknown, unknown> {
  return {
    program: Program.REMOTE,
    number,
    args: struct(args),
    reply: reply === undefined ? nothing : struct(reply),
    long: false,
    stream: undefined,
  };
}

/** A procedure of the QEMU program, from `qemu_protocol.x`. */
export function qemu<A extends Fields, R extends Fields>(number: number, args: A, reply: R): Procedure<StructOf<A>, StructOf<R>> {
  return { ...remote(number, args, reply), program: Program.QEMU };
}

/** Marks a procedure that may take seconds or hours. */
export function long<A, R>(procedure: Procedure<A, R>): Procedure<A, R> {
  return { ...procedure, long: true };
}

/** Marks a procedure that makes domains which, by a flag, live as long as the connection. */
export function autodestroying<A extends { readonly flags: number }, R>(procedure: Procedure<A, R>): Procedure<A, R> {
  return { ...procedure, tied: ({ flags }) => (flags & CreateFlag.AUTODESTROY) !== 0 };
}

/** Marks a procedure whose reply is followed by a stream. */
export function streaming<A, R>(
  direction: StreamDirection,
  procedure: Procedure<A, R>,
): Procedure<A, R> & { readonly stream: StreamDirection } {
  return { ...procedure, long: true, stream: direction };
}
