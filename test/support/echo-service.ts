import { randomUUID } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '../../temporal/cli/api-client.ts';
import { watchOperation } from '../../temporal/cli/watch-operation.ts';
import type { NewService } from '../../workflows/contract/http.ts';
import { echoDisk } from './echo-disk.ts';

/** The echo guest as a service. @param file its disk, in the import folder */
export const echoService = (file: string, changes: Partial<NewService> = {}): NewService => ({
  serviceId: 'test.echo',
  ports: [
    { name: 'http', protocol: 'tcp', guestPort: 8080 },
    { name: 'echo', protocol: 'tcp', guestPort: 7 },
    { name: 'echo-udp', protocol: 'udp', guestPort: 7 },
  ],
  readiness: { kind: 'http', guestPort: 8080, path: '/health', timeoutSeconds: 120 },
  memory: { minimumMib: 96, idealMib: 128 },
  source: { kind: 'disk', file, format: 'qcow2' },
  save: true,
  ...changes,
});

/**
 * Makes a service of the echo guest, with a saved state unless said otherwise, and waits until it is built.
 * @returns its name
 */
export async function addEchoService(admin: ApiClient, importDir: string, service: Partial<NewService> = {}): Promise<string> {
  const file = `${randomUUID()}.qcow2`;
  await mkdir(importDir, { recursive: true });
  await copyFile(await echoDisk(), join(importDir, file));
  const body = echoService(file, service);
  const { operationId } = await admin.request<{ operationId: string }>('POST', '/v1/services', body);
  await watchOperation(admin, operationId, { json: false, quiet: true });
  return body.serviceId;
}
