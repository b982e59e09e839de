import { Agent, request } from 'node:http';
import autocannon from 'autocannon';
import { median, timed } from './measurement.ts';

/** Requests a second that a URL answers to eight connections at once. @throws Error when any answer is not 200 */
export async function rateOf(url: string, seconds: number): Promise<number> {
  const { requests, non2xx, errors } = await autocannon({ url, connections: 8, duration: seconds });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests to ${url} failed`);
  return requests.average;
}

/** Median time of one request after the other over one connection, ms. */
export async function latencyOf(url: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  try {
    for (let index = 0; index < count; index += 1) times.push(await timed(() => get(url, agent)));
  } finally {
    agent.destroy();
  }
  return median(times);
}

const get = (url: string, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end();
  });
