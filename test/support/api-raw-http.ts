import { connect, type NetConnectOpts } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly statusLine: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything that came, several answers perhaps. */
  readonly bytes: Buffer;
}

/**
 * Sends bytes as they are and collects what comes back until the server closes the connection, or falls silent for
 * `silenceMs` after it has answered.
 * @throws Error when nothing came within `deadlineMs`
 */
export function sendRaw(
  port: number,
  bytes: string | Buffer | readonly (string | Buffer)[],
  { deadlineMs = 10_000, silenceMs = 150, ...options }: { deadlineMs?: number; silenceMs?: number } & Partial<NetConnectOpts> = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, ...options });
    const done = () => {
      clearTimeout(deadline);
      clearTimeout(silence);
      socket.destroy();
      const received = Buffer.concat(chunks);
      if (received.length === 0) reject(new Error('The server closed the connection without an answer'));
      else resolve(parse(received));
    };
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`No answer within ${deadlineMs} ms; so far: ${Buffer.concat(chunks).toString('latin1').slice(0, 200)}`));
    }, deadlineMs);
    let silence: NodeJS.Timeout | undefined;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(silence);
      silence = setTimeout(done, silenceMs);
    });
    socket.on('close', done);
    // A server that refuses a request need not read the rest of it.
    socket.on('error', () => undefined);
    for (const part of [bytes].flat()) socket.write(part);
  });
}

function parse(bytes: Buffer): RawAnswer {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0),
    statusLine,
    headers: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    ),
    body: end < 0 ? '' : bytes.subarray(end + 4).toString('utf8'),
    bytes,
  };
}

/** A request in the form in which it goes over the wire; its connection is closed after the answer. */
export const rawRequest = (line: string, headers: readonly string[] = [], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: cloudlet', 'Connection: close', ...headers, '', body].join('\r\n');
