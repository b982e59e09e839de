import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { abortError } from '../abort-error.ts';
import type { Caller, CallOptions, OpenedStream } from '../caller.ts';
import { RpcError } from '../errors.ts';
import {
  daemonCallWindow,
  KeepaliveProcedure,
  maxFrameBytes,
  MessageStatus,
  MessageType,
  Program,
  programVersion,
} from '../protocol/constants.ts';
import { eventKindOf, type DomainEvent } from '../protocol/events.ts';
import { procedures, type AnyProcedure, type Arguments, type ProcedureName, type Reply, type StreamName } from '../protocol/procedures.ts';
import { encodeFrame, type Frame } from '../wire/frame.ts';
import { Channel } from './channel.ts';
import { decodeBody, decodeError, decodeEvent } from './decode-body.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import { LiveStreams } from './live-streams.ts';
import { PendingCalls } from './pending-calls.ts';
import type { RpcStream } from './rpc-stream.ts';
import { belongsTo, violation } from './violation.ts';

interface ConnectionEvents {
  /** The daemon reports something that `connectDomainEventCallbackRegisterAny` asked for. */
  event: [DomainEvent];
  /** A reply came in, so the daemon takes one call more. */
  settled: [];
  /** The connection is over, and why. Emitted once. */
  close: [RpcError];
}

/**
 * One connection to a libvirt daemon: pipelined calls, streams and events over one socket. When it is lost it stays lost.
 *
 * The daemon stops reading a connection while five of its calls are unanswered, and an unread stream holds up everything else
 * on its connection. A `Client` takes care of both, and of reconnecting; use this to do without.
 */
export class Connection extends EventEmitter<ConnectionEvents> implements Caller {
  readonly #channel: Channel;
  readonly #calls = new PendingCalls();
  readonly #streams: LiveStreams;
  #keepalive: Keepalive | undefined;

  /** @param socket connected; `openConnection` also says hello to the daemon */
  constructor(socket: Socket) {
    super();
    this.#channel = new Channel(socket, {
      heard: () => this.#keepalive?.heard(),
      frame: (frame) => this.#receive(frame),
      end: (reason) => this.#end(reason),
    });
    this.#streams = new LiveStreams(this.#channel);
  }

  /** Calls the daemon has yet to answer, given up or not: they fill its window. */
  get outstanding(): number {
    return this.#calls.outstanding;
  }

  /** Those of them that somebody still waits for. */
  get awaited(): number {
    return this.#calls.awaited;
  }

  /** Why the connection is over, if it is. */
  get closeReason(): RpcError | undefined {
    return this.#channel.endReason;
  }

  call<N extends ProcedureName>(name: N, args: Arguments<N>, options: CallOptions = {}): Promise<Reply<N>> {
    const procedure: AnyProcedure = procedures[name];
    return this.#send(name, procedure, args, options, (body) => decodeBody(procedure.reply, body, `the reply to ${name}`) as Reply<N>);
  }

  async openStream<N extends StreamName>(name: N, args: Arguments<N>, options: CallOptions = {}): Promise<OpenedStream<N>> {
    const procedure: AnyProcedure = procedures[name];
    const open = (body: Buffer, serial: number) => ({
      reply: decodeBody(procedure.reply, body, `the reply to ${name}`) as Reply<N>,
      stream: this.#streams.open(serial, name, procedure),
    });
    const opened = await this.#send(name, procedure, args, options, open, ({ stream }) => stream.destroy());
    abortWith(opened.stream, options.signal, `The stream of ${name}`);
    return opened;
  }

  /** Begins to ask after the daemon when it is silent, and ends the connection when it stays so. */
  startKeepalive(options: KeepaliveOptions): void {
    this.#keepalive ??= new Keepalive(options, {
      ping: () => this.#sendKeepalive(KeepaliveProcedure.PING),
      isListening: () => this.#calls.outstanding < daemonCallWindow && !this.#streams.isStalled,
      dead: () => this.#channel.fail(new RpcError('connection-lost', 'libvirt no longer answers: its keepalive is overdue.')),
    });
  }

  /** Ends the connection: what is under way is rejected with `closed`. Resolves when the socket is closed; may be called again. */
  async close(): Promise<void> {
    const serial = this.#calls.nextSerial();
    await this.#channel.close(encodeFrame(callHeader(procedures.connectClose, serial)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send<T>(
    name: string,
    procedure: AnyProcedure,
    args: unknown,
    options: CallOptions,
    decode: (body: Buffer, serial: number) => T,
    discard?: (result: T) => void,
  ): Promise<T> {
    if (this.#channel.endReason !== undefined) return Promise.reject(this.#channel.endReason);
    if (options.signal?.aborted) return Promise.reject(abortError(options.signal, `The call ${name}`));
    const serial = this.#calls.nextSerial();
    let frame: Buffer;
    try {
      frame = encodeFrame(callHeader(procedure, serial), (encoder) => procedure.args.encode(encoder, args));
      if (frame.length > maxFrameBytes) throw new RangeError(`Its ${frame.length} bytes are more than the ${maxFrameBytes} libvirt takes.`);
    } catch (cause) {
      return Promise.reject(new RpcError('invalid-argument', `${name} cannot be sent: ${errorMessage(cause)}`, { cause }));
    }
    const result = this.#calls.add({ serial, name, procedure, options, decode: (body) => decode(body, serial), discard });
    this.#channel.send(frame);
    return result;
  }

  #receive(frame: Frame): void {
    if (frame.version !== programVersion) throw violation(`a message of version ${frame.version}`);
    if (frame.program === Program.KEEPALIVE) {
      if (frame.procedure === KeepaliveProcedure.PING) this.#sendKeepalive(KeepaliveProcedure.PONG);
      return;
    }
    if (frame.program !== Program.REMOTE && frame.program !== Program.QEMU) throw violation(`a message of the program ${frame.program}`);
    switch (frame.type) {
      case MessageType.REPLY:
        return this.#receiveReply(frame);
      case MessageType.MESSAGE:
        return this.#receiveEvent(frame);
      case MessageType.STREAM:
      case MessageType.STREAM_HOLE:
        return this.#streams.receive(frame);
      default:
        throw violation(`a message of the type ${frame.type}`);
    }
  }

  #receiveReply(frame: Frame): void {
    const call = this.#calls.get(frame.serial);
    if (call === undefined || !belongsTo(frame, call.procedure))
      throw violation(`a reply to a call that was not made (serial ${frame.serial})`);
    if (frame.status === MessageStatus.OK) call.accept(frame.body);
    else if (frame.status === MessageStatus.ERROR) call.reject(decodeError(call.name, frame.body));
    else throw violation(`a reply of the status ${frame.status}`);
    this.#calls.delete(frame.serial);
    this.emit('settled');
  }

  /** An event nobody here knows was not asked for by us, and is passed over. */
  #receiveEvent(frame: Frame): void {
    const kind = frame.program === Program.REMOTE ? eventKindOf(frame.procedure) : undefined;
    if (kind !== undefined) this.emit('event', decodeEvent(kind, frame.body));
  }

  #sendKeepalive(procedure: number): void {
    const header = { program: Program.KEEPALIVE, procedure, type: MessageType.MESSAGE, serial: 0, status: MessageStatus.OK };
    this.#channel.send(encodeFrame(header));
  }

  #end(reason: RpcError): void {
    this.#keepalive?.stop();
    this.#calls.rejectAll(reason);
    this.#streams.failAll(reason);
    this.emit('close', reason);
  }
}

function callHeader(procedure: { readonly program: number; readonly number: number }, serial: number) {
  return { program: procedure.program, procedure: procedure.number, type: MessageType.CALL, serial, status: MessageStatus.OK };
}

function errorMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function abortWith(stream: RpcStream, signal: AbortSignal | undefined, what: string): void {
  if (signal === undefined) return;
  const abort = () => void stream.destroy(abortError(signal, what));
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
  if (signal.aborted) abort();
}
