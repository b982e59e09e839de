import type { Arguments, ProcedureName, Reply, StreamName } from './protocol/procedures.ts';
import type { RpcStream } from './connection/rpc-stream.ts';

export interface CallOptions {
  /** Rejects the call at once when aborted. RPC has no cancel: what the daemon has begun, it goes on with. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects the call with `timeout` after so many milliseconds. Without it a call waits as long as its connection lives. */
  readonly timeoutMs?: number | undefined;
}

/** What can carry calls: a `Client`, or one bare `Connection`. */
export interface Caller {
  /**
   * Calls one procedure.
   * @throws LibvirtError when libvirt says no, RpcError when the call did not get through
   */
  call<N extends ProcedureName>(name: N, args: Arguments<N>, options?: CallOptions): Promise<Reply<N>>;
  /** Calls a procedure whose reply is followed by a stream. The signal goes on to govern the stream, the timeout does not. */
  openStream<N extends StreamName>(name: N, args: Arguments<N>, options?: CallOptions): Promise<OpenedStream<N>>;
}

export interface OpenedStream<N extends StreamName> {
  readonly reply: Reply<N>;
  readonly stream: RpcStream;
}
