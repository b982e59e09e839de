import { RpcError } from '../errors.ts';
import type { AnyProcedure } from '../protocol/procedures.ts';
import type { Frame } from '../wire/frame.ts';

/** The error that ends a connection whose daemon breaks the protocol. `what` completes "The daemon sent …". */
export function violation(what: string): RpcError {
  return new RpcError('protocol', `The daemon sent ${what}. The connection was closed.`);
}

/** Whether a message is about a call of this procedure. */
export function belongsTo(frame: Frame, procedure: AnyProcedure): boolean {
  return frame.program === procedure.program && frame.procedure === procedure.number;
}
