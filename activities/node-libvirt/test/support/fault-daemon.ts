import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageStatus, MessageType, Program } from '../../src/protocol/constants.ts';
import { procedures, type AnyProcedure, type ProcedureName, type Reply } from '../../src/protocol/procedures.ts';
import { remoteError } from '../../src/protocol/remote-error.ts';
import { encodeFrame, encodeFrameHeader, type Frame, type FrameHeader } from '../../src/wire/frame.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import type { Codec } from '../../src/xdr/codec.ts';
import { XdrDecoder } from '../../src/xdr/xdr-decoder.ts';
import type { XdrEncoder } from '../../src/xdr/xdr-encoder.ts';

type EncodeBody = (encoder: XdrEncoder) => void;

/** One message that came in, and ways to answer it. */
export class Incoming {
  readonly peer: Peer;
  readonly frame: Frame;
  readonly name: ProcedureName | undefined;

  constructor(peer: Peer, frame: Frame) {
    this.peer = peer;
    this.frame = frame;
    const isThis = ([, { program, number }]: [string, AnyProcedure]) => program === frame.program && number === frame.procedure;
    this.name = Object.entries(procedures).find(isThis)?.[0] as ProcedureName | undefined;
  }

  args(): unknown {
    return this.name === undefined ? undefined : procedures[this.name].args.decode(new XdrDecoder(this.frame.body));
  }

  reply<N extends ProcedureName>(name: N, value: Reply<N>): void {
    const codec: Codec<unknown> = procedures[name].reply;
    this.send({ type: MessageType.REPLY, status: MessageStatus.OK }, (encoder) => codec.encode(encoder, value));
  }

  refuse(code: number, message: string): void {
    this.send({ type: MessageType.REPLY, status: MessageStatus.ERROR }, errorBody(code, message));
  }

  /** A packet of the stream that this call opened. Data goes as it is, a body as XDR. */
  stream(status: number, body?: Buffer | EncodeBody, type: number = MessageType.STREAM): void {
    if (!Buffer.isBuffer(body)) return this.send({ type, status }, body);
    const { program, procedure, serial } = this.frame;
    this.peer.socket.write(encodeFrameHeader({ program, procedure, serial, type, status }, body.length));
    this.peer.socket.write(body);
  }

  send(header: Partial<FrameHeader>, body?: EncodeBody): void {
    const { program, procedure, serial } = this.frame;
    this.peer.socket.write(encodeFrame({ program, procedure, serial, type: MessageType.REPLY, status: MessageStatus.OK, ...header }, body));
  }
}

export function errorBody(code: number, message: string): EncodeBody {
  const error = { code, domain: 10, message, level: 2, dom: null, str1: null, str2: null, str3: null, int1: 0, int2: 0, net: null };
  return (encoder) => remoteError.encode(encoder, error);
}

/** One client, as the daemon sees it. */
export interface Peer {
  readonly socket: Socket;
  /** How many connections came before this one. */
  readonly index: number;
}

/** Called for every message that the daemon does not answer by itself. */
type Handler = (incoming: Incoming) => void;

/**
 * A daemon that says hello like libvirtd and then does what a test wants, wrongly if need be. For faults that the real one cannot
 * be brought to.
 */
export class FaultDaemon {
  readonly #server: Server;
  readonly #directory: string;
  readonly peers: Peer[] = [];
  handler: Handler = () => {};
  /** Whether it answers the calls by which a connection begins; else they go to the handler, too. */
  saysHello = true;
  authTypes: readonly number[] = [0];

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
  }

  static async start(handler: Handler = () => {}): Promise<FaultDaemon> {
    const server = createServer();
    const daemon = new FaultDaemon(server, await mkdtemp(join(tmpdir(), 'node-libvirt-fault-')));
    daemon.handler = handler;
    server.on('connection', (socket) => daemon.#serve(socket));
    await daemon.listen();
    return daemon;
  }

  get socketPath(): string {
    return join(this.#directory, 'sock');
  }

  get uri(): string {
    return `qemu+unix:///system?socket=${this.socketPath}`;
  }

  /** Clients that are connected now. */
  get connected(): readonly Peer[] {
    return this.peers.filter(({ socket }) => !socket.destroyed);
  }

  /** From now on keeps what comes in, for the test to answer when it wants. */
  collect(): Incoming[] {
    const messages: Incoming[] = [];
    this.handler = (incoming) => messages.push(incoming);
    return messages;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.socketPath, resolve));
  }

  /** Drops all clients and takes no new ones until `listen`. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { socket } of this.peers) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.vanish();
    await rm(this.#directory, { recursive: true });
  }

  #serve(socket: Socket): void {
    const peer: Peer = { socket, index: this.peers.length };
    this.peers.push(peer);
    const parser = new FrameParser();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const frame of parser.push(chunk)) this.#receive(new Incoming(peer, frame));
    });
  }

  #receive(incoming: Incoming): void {
    const { frame, name } = incoming;
    if (this.saysHello && frame.program === Program.REMOTE && frame.type === MessageType.CALL) {
      if (name === 'authList') return incoming.reply(name, { types: this.authTypes });
      if (name === 'connectSupportsFeature') return incoming.reply(name, { supported: true });
      if (name === 'connectOpen') return incoming.reply(name, undefined);
      if (name === 'connectClose') return void incoming.peer.socket.end();
    }
    this.handler(incoming);
  }
}
