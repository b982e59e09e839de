import { request } from 'node:http';

export interface PhoneAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What `/api/servicevm/start` tells a phone. */
export interface PhoneServiceVm {
  readonly _id: string;
  readonly service_id: string;
  readonly running: boolean;
  readonly port: number;
  readonly ip_address: string;
  readonly vnc_address: string | null;
  readonly ssh_port: number;
  readonly fqdn: string | null;
}

/** Asks as a stock phone does (WIRE.md §11.1): GET, an X-Device-ID, no Accept, a connection for each command. */
export class Phone {
  readonly #base: string;
  readonly deviceId: string;

  /** @param base `http://address:port` of a cloudlet */
  constructor(base: string, deviceId: string) {
    this.#base = base;
    this.deviceId = deviceId;
  }

  get(path: string, headers: Readonly<Record<string, string>> = { 'x-device-id': this.deviceId }, method = 'GET'): Promise<PhoneAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.#base}/api${path}`, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** @throws Error with the answer's text when it is anything but 200, as the client library does */
  async json<Answer>(path: string): Promise<Answer> {
    const { status, body } = await this.get(path);
    if (status !== 200) throw new Error(`${status}: ${body}`);
    return JSON.parse(body) as Answer;
  }

  start(serviceId: string, join = true): Promise<PhoneServiceVm> {
    return this.json(`/servicevm/start?serviceId=${encodeURIComponent(serviceId)}&join=${join}`);
  }

  stop(instanceId: string): Promise<Record<string, never>> {
    return this.json(`/servicevm/stop?instanceId=${instanceId}`);
  }
}
