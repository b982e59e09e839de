import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { bundleCompressions, type BundleBody, type BundleCompression, type NewImport } from '../../workflows/contract/bundle.ts';
import type { ServicePort } from '../../workflows/contract/service.ts';
import { formatBytes } from '../../workflows/contract/units.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { downloadFile } from '../cli/download-file.ts';
import { say, show, type Output } from '../cli/output.ts';
import { runOperation } from '../cli/run-operation.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { takeToImports } from '../cli/take-to-imports.ts';
import { loadConfig } from '../config/load-config.ts';
import { collectPorts } from './service-port.ts';

interface ImportOptions {
  readonly id?: string;
  readonly port: readonly ServicePort[];
  readonly newVersion: boolean;
  readonly json: boolean;
}

interface ExportOptions {
  readonly out?: string;
  readonly compression: BundleCompression;
  readonly json: boolean;
}

/** `service export` and `service import`. */
export function addServiceBundles(service: Command, api: () => ApiClient): void {
  service
    .command('export')
    .description('write a service into one file, a .csvm bundle')
    .argument('<service>')
    .option('--out <file>', 'where it goes (default: a name of its own, here)')
    .addOption(
      new Option('--compression <how>', 'a disk hardly shrinks, and packing it takes long').choices(bundleCompressions).default('none'),
    )
    .option('--json', 'events as JSON, one a line', false)
    .action((serviceId: string, options: ExportOptions) => exportService(api(), serviceId, options));

  service
    .command('import')
    .description('make a service of a .csvm bundle or an OVA')
    .argument('<file>')
    .option('--id <name>', 'another name for the service')
    .option('--port <port...>', 'other ports: 8080, 7/udp, ssh=22; an OVA needs them', collectPorts, [])
    .option('--new-version', 'of the service of that name, if there is one', false)
    .option('--json', 'events as JSON, one a line', false)
    .action((file: string, options: ImportOptions) => importService(api(), file, options));
}

async function exportService(api: ApiClient, serviceId: string, { out, compression, json }: ExportOptions): Promise<void> {
  const { result } = await runOperation(api, { method: 'POST', path: '/v1/bundles', body: { serviceId, compression } }, { json });
  const path = `/v1/bundles/${String(result?.['bundleId'])}`;
  const { fileName, sizeBytes, sha256 } = await api.request<BundleBody>('GET', path);
  const file = out ?? fileName;
  await downloadFile(api, { path: `${path}/file`, file, sizeBytes, sha256, bar: process.stdout.isTTY && !json });
  // It is here now; its copy on the cloudlet only takes room.
  await api.request('DELETE', path);
  if (json) say(JSON.stringify({ event: 'downloaded', file: resolve(file), sizeBytes, sha256 }));
  else say(`${serviceId} is in ${file} (${formatBytes(sizeBytes)}).`);
}

async function importService(api: ApiClient, file: string, { id, port, newVersion, json }: ImportOptions): Promise<void> {
  await api.requireAdmin();
  const taken = await takeToImports(loadConfig().config.importDir, file, /\.ova$/i.test(file) ? 'ova' : 'csvm');
  const body: NewImport = {
    source: { kind: 'file', file: taken.name },
    asNewVersion: newVersion,
    ...(id === undefined ? {} : { serviceId: id }),
    ...(port.length === 0 ? {} : { ports: [...port] }),
  };
  try {
    const { result } = await runOperation(api, { method: 'POST', path: '/v1/bundles/imports', body }, { json });
    if (json) return;
    const { serviceId, version, notes } = result as { serviceId: string; version: number; notes: readonly string[] };
    for (const note of notes) say(note);
    say(`${serviceId} is ready to be started (image ${version}): cloudlet vm start ${serviceId}`);
  } finally {
    await taken.remove();
  }
}

const columns: readonly Column<BundleBody>[] = [
  ['bundle', ({ id }) => id],
  ['service', ({ serviceId, imageVersion }) => `${serviceId} (image ${imageVersion})`],
  ['size', ({ sizeBytes }) => formatBytes(sizeBytes)],
  ['compression', ({ compression }) => compression],
  ['made', ({ createdAt }) => createdAt],
];

/** Bundles that wait on the cloudlet, and the key that signs them. */
export function addBundleCommands(bundle: Command, api: () => ApiClient): void {
  bundle
    .command('list')
    .description('exported bundles that wait to be downloaded')
    .option('--json', 'as JSON', false)
    .action(async (output: { json: boolean }) => {
      const { bundles } = await api().request<{ bundles: BundleBody[] }>('GET', '/v1/bundles');
      show(output, bundles, (rows) => formatTable(rows, columns, 'No bundle waits. cloudlet service export makes one.'));
    });

  bundle
    .command('remove')
    .description('remove an exported bundle; its service stays')
    .argument('<bundle>')
    .option('--json', 'as JSON', false)
    .action(async (id: string, output: Output) => {
      await api().request('DELETE', `/v1/bundles/${encodeURIComponent(id)}`);
      show(output, { removed: id }, () => `${id} is removed.`);
    });

  bundle
    .command('key')
    .description('the public key that signs our bundles; others trust it by CLOUDLET_TRUSTED_PUBLISHERS')
    .option('--json', 'as JSON', false)
    .action(async (output: { json: boolean }) => {
      show(output, await api().request<{ publicKey: string }>('GET', '/v1/bundles/publisher'), ({ publicKey }) => publicKey);
    });
}
