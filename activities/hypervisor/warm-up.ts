import { CloudletError } from '../../workflows/contract/errors.ts';
import type { WarmUpRequest } from '../../workflows/contract/catalogue.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';

/**
 * Makes the requests that fill a guest's caches before its state is saved.
 * @throws CloudletError `guest-unresponsive` when the guest answers one of them with an error
 */
export async function warmUp(requests: readonly WarmUpRequest[], ports: readonly PortMapping[], signal: AbortSignal): Promise<void> {
  for (const { guestPort, method, path, contentType, body } of requests) {
    const port = ports.find((mapping) => mapping.guestPort === guestPort && mapping.protocol === 'tcp');
    if (!port) throw new CloudletError('invalid-input', `A warm-up request asks guest port ${guestPort}, which the service does not have.`);
    const content = await body?.();
    const response = await fetch(`http://127.0.0.1:${port.hostPort}${path}`, {
      method,
      signal,
      ...(content ? { body: Buffer.from(content), headers: { 'content-type': contentType ?? 'application/octet-stream' } } : {}),
    });
    const text = await response.text();
    if (!response.ok)
      throw new CloudletError('guest-unresponsive', `The guest answered ${method} ${path} with ${response.status}: ${text.slice(0, 200)}`);
  }
}
