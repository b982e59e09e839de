import autocannon from 'autocannon';

export interface Load {
  readonly p50Ms: number;
  readonly requestsPerSecond: number;
}

/** Puts load on a URL for a while. @throws Error when any answer is not 200 */
export async function loadOn(url: string, seconds: number): Promise<Load> {
  const { latency, requests, non2xx, errors } = await autocannon({ url, connections: 8, duration: seconds });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests to ${url} failed`);
  return { p50Ms: latency.p50, requestsPerSecond: requests.average };
}
