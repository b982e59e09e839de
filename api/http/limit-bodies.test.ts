import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { answerClientError } from './answer-client-error.ts';
import { letBodyFlow, limitBodies, limitBody } from './limit-bodies.ts';

let server: Server;
let handle: (request: Parameters<typeof letBodyFlow>[0]) => void;
beforeEach(async () => {
  server = createServer((request, response) => {
    handle(request);
    request.resume();
    request.on('end', () => response.end('done'));
  });
  server.on('clientError', answerClientError);
  limitBodies(server, 150);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends a body byte by byte. @returns what the server said until it closed the connection, or the body was all there */
async function sendSlowly(bytes: number, everyMs: number): Promise<string> {
  const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  const closed = new Promise<void>((resolve) => void socket.on('close', () => resolve()).on('error', () => undefined));
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(`POST / HTTP/1.1\r\nhost: cloudlet\r\nconnection: close\r\ncontent-length: ${bytes}\r\n\r\n`);
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += 1) {
    socket.write('x');
    await sleep(everyMs);
  }
  await closed;
  return answer;
}

it('cuts off a body that drips, and says so', async () => {
  handle = () => undefined;
  expect(await sendSlowly(1000, 10)).toMatch(/^HTTP\/1\.1 408 .*request-timeout/s);
});

it('leaves a body alone that arrives in time', async () => {
  handle = () => undefined;
  expect(await sendSlowly(3, 10)).toMatch(/^HTTP\/1\.1 200 /);
});

it('lets a client wait for its answer as long as that takes', async () => {
  handle = () => undefined;
  server.removeAllListeners('request');
  limitBodies(server, 50);
  server.on('request', (_request, response) => void setTimeout(() => response.end('done'), 200));
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect(answer.status).toBe(200);
});

it('lets a body flow that takes long where its route says so', async () => {
  handle = (request) => letBodyFlow(request, 100);
  expect(await sendSlowly(50, 10)).toMatch(/^HTTP\/1\.1 200 /);
});

it('cuts off a flowing body that stalls', async () => {
  handle = (request) => letBodyFlow(request, 50);
  expect(await sendSlowly(3, 300)).toBe('');
});

it('limits what is left of a body again', async () => {
  handle = (request) => {
    letBodyFlow(request, 100);
    limitBody(request);
  };
  expect(await sendSlowly(1000, 10)).toMatch(/^HTTP\/1\.1 408 /);
});

it('waits for the answer to a request without a body, though nobody reads it', async () => {
  const silent = createServer((_request, response) => void setTimeout(() => response.end('done'), 400));
  silent.on('clientError', answerClientError);
  limitBodies(silent, 100);
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = silent.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});
