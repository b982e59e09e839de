import type { RpcError } from '../errors.ts';
import { MessageStatus, MessageType } from '../protocol/constants.ts';
import type { AnyProcedure } from '../protocol/procedures.ts';
import { encodeFrame, encodeFrameHeader, type Frame } from '../wire/frame.ts';
import { hyper, struct, uint } from '../xdr/codec.ts';
import type { Channel } from './channel.ts';
import { decodeBody, decodeError } from './decode-body.ts';
import { RpcStream } from './rpc-stream.ts';
import { belongsTo, violation } from './violation.ts';

interface LiveStream {
  readonly name: string;
  readonly procedure: AnyProcedure;
  readonly stream: RpcStream;
}

const streamHole = struct({ length: hyper, flags: uint });

/** The streams of one connection, by the serial of the call that opened each. One stays until the daemon has confirmed its end. */
export class LiveStreams {
  readonly #channel: Channel;
  readonly #streams = new Map<number, LiveStream>();
  readonly #unread = new Set<number>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Whether a stream keeps us from reading, or the daemon: then nothing can be heard from it. */
  get isStalled(): boolean {
    return this.#unread.size > 0 || (this.#streams.size > 0 && this.#channel.unsentBytes > 0);
  }

  open(serial: number, name: string, procedure: AnyProcedure): RpcStream {
    const channel = this.#channel;
    const header = { program: procedure.program, procedure: procedure.number, type: MessageType.STREAM, serial };
    const stream = new RpcStream(procedure.stream ?? 'both', {
      sendData: (data, sent) => channel.sendData(encodeFrameHeader({ ...header, status: MessageStatus.CONTINUE }, data.length), data, sent),
      sendFinish: () => channel.send(encodeFrame({ ...header, status: MessageStatus.OK })),
      sendAbort: () => channel.send(encodeFrame({ ...header, status: MessageStatus.ERROR })),
      setPaused: (paused) => this.#setPaused(serial, paused),
    });
    this.#streams.set(serial, { name, procedure, stream });
    return stream;
  }

  /** @throws RpcError `protocol` */
  receive(frame: Frame): void {
    const live = this.#streams.get(frame.serial);
    if (live === undefined || !belongsTo(frame, live.procedure))
      throw violation(`a packet of a stream that is not open (serial ${frame.serial})`);
    if (frame.status === MessageStatus.CONTINUE) {
      receiveData(live.stream, frame);
    } else if (frame.status === MessageStatus.OK) {
      live.stream.receiveConfirmation();
      this.#remove(frame.serial);
    } else if (frame.status === MessageStatus.ERROR) {
      live.stream.receiveError(decodeError(live.name, frame.body));
      this.#remove(frame.serial);
    } else {
      throw violation(`a stream packet of the status ${frame.status}`);
    }
  }

  /** The connection is over. */
  failAll(reason: RpcError): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { stream } of streams) stream.receiveError(reason);
  }

  #remove(serial: number): void {
    this.#streams.delete(serial);
    this.#setPaused(serial, false);
  }

  #setPaused(serial: number, paused: boolean): void {
    if (paused) this.#unread.add(serial);
    else this.#unread.delete(serial);
    this.#channel.setPaused(this.#unread.size > 0);
  }
}

function receiveData(stream: RpcStream, frame: Frame): void {
  if (frame.type === MessageType.STREAM_HOLE) {
    const { length } = decodeBody(streamHole, frame.body, 'a hole in a stream');
    if (length <= 0n || length > BigInt(Number.MAX_SAFE_INTEGER)) throw violation(`a hole of ${length} bytes`);
    stream.receive({ zeroBytes: Number(length) });
  } else if (frame.body.length > 0) {
    stream.receive(frame.body);
  } else {
    stream.receiveEnd();
  }
}
