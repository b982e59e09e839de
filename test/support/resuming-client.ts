import { CloudletError } from '../../workflows/contract/errors.ts';
import { ApiClient } from '../../temporal/cli/api-client.ts';

/** Sees to it that no byte of an upload which has arrived is sent again. */
export class ResumingClient extends ApiClient {
  #arrivedBytes = 0;

  override async send(method: string, path: string, headers: Record<string, string>, bytes?: Uint8Array): Promise<Headers> {
    const offset = Number(headers['upload-offset'] ?? this.#arrivedBytes);
    if (offset < this.#arrivedBytes) {
      throw new CloudletError('invalid-input', `${this.#arrivedBytes} bytes had arrived, and are sent again from ${offset} on`);
    }
    const answer = await super.send(method, path, headers, bytes);
    this.#arrivedBytes = Math.max(this.#arrivedBytes, Number(answer.get('upload-offset')));
    return answer;
  }
}
