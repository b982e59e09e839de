/** Numbers of libvirt's RPC protocol, from `virnetprotocol.x`, `virkeepaliveprotocol.x` and `libvirt_internal.h`. */

export const Program = { REMOTE: 0x2000_8086, QEMU: 0x2000_8087, KEEPALIVE: 0x6b65_6570 } as const;

/** Every program is at version 1, and always was. */
export const programVersion = 1;

export const MessageType = { CALL: 0, REPLY: 1, MESSAGE: 2, STREAM: 3, STREAM_HOLE: 6 } as const;

export const MessageStatus = { OK: 0, ERROR: 1, CONTINUE: 2 } as const;

export const KeepaliveProcedure = { PING: 1, PONG: 2 } as const;

export const AuthType = { NONE: 0, SASL: 1, POLKIT: 2 } as const;

/** What `connectSupportsFeature` is asked; asking for this one also makes the daemon send pings of its own. */
export const Feature = { PROGRAM_KEEPALIVE: 10 } as const;

/** Length word and header, in bytes. */
export const frameHeaderBytes = 28;

/** The largest frame, with its length word: `VIR_NET_MESSAGE_MAX` + 4. */
export const maxFrameBytes = 33_554_432 + 4;

/** The most data that one stream packet carries, in bytes (`VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX`). */
export const maxStreamPayloadBytes = 262_120;

/**
 * A daemon stops reading a connection while this many of its calls are unanswered (`max_client_requests`, 5 by default):
 * nothing on it is served then, not even a ping.
 */
export const daemonCallWindow = 5;
