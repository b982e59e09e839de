import { frameHeaderBytes, programVersion } from '../protocol/constants.ts';
import { XdrEncoder } from '../xdr/xdr-encoder.ts';

/** The seven numbers before a body (`virNetMessageHeader` and the length before it). */
export interface FrameHeader {
  readonly program: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

/** One message as it came in. The body is a view into what the socket read. */
export interface Frame extends FrameHeader {
  readonly version: number;
  readonly body: Buffer;
}

/** One message in one buffer, ready to be written. `encodeBody` may throw; then nothing was sent. */
export function encodeFrame(header: FrameHeader, encodeBody?: (encoder: XdrEncoder) => void): Buffer {
  const encoder = new XdrEncoder(frameHeaderBytes);
  encodeBody?.(encoder);
  return writeHeader(encoder.finish(), header, 0);
}

/** The header of a message whose body is written after it as it is; spares large data a copy. */
export function encodeFrameHeader(header: FrameHeader, bodyBytes: number): Buffer {
  return writeHeader(Buffer.allocUnsafe(frameHeaderBytes), header, bodyBytes);
}

function writeHeader(frame: Buffer, header: FrameHeader, followingBytes: number): Buffer {
  frame.writeUInt32BE(frame.length + followingBytes, 0);
  frame.writeUInt32BE(header.program, 4);
  frame.writeUInt32BE(programVersion, 8);
  frame.writeInt32BE(header.procedure, 12);
  frame.writeUInt32BE(header.type, 16);
  frame.writeUInt32BE(header.serial, 20);
  frame.writeUInt32BE(header.status, 24);
  return frame;
}

/** @param bytes one whole message, at least {@link frameHeaderBytes} long */
export function decodeFrame(bytes: Buffer): Frame {
  return {
    program: bytes.readUInt32BE(4),
    version: bytes.readUInt32BE(8),
    procedure: bytes.readInt32BE(12),
    type: bytes.readUInt32BE(16),
    serial: bytes.readUInt32BE(20),
    status: bytes.readUInt32BE(24),
    body: bytes.subarray(frameHeaderBytes),
  };
}
