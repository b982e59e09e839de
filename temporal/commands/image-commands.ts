import type { Command } from 'commander';
import type { ImageBody, ServiceImageBody } from '../../workflows/contract/image.ts';
import type { VerificationOutcome } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceView } from '../../workflows/contract/http.ts';
import { formatBytes } from '../../workflows/contract/units.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { say, show, type Output } from '../cli/output.ts';
import { runOperation } from '../cli/run-operation.ts';
import { formatTable, type Column } from '../cli/table.ts';
import { wholeNumber } from './whole-number.ts';

const columns: readonly Column<ImageBody>[] = [
  ['image', ({ sha256 }) => sha256.slice(0, 12)],
  ['kind', ({ kind }) => kind],
  ['size', ({ sizeBytes }) => formatBytes(sizeBytes)],
  ['upon', ({ backing }) => backing?.slice(0, 12) ?? ''],
  [
    'used by',
    ({ usedBy }) => usedBy.map(({ serviceId, version }) => `${serviceId} ${version}`).join(', ') || 'nothing; it is removed soon',
  ],
  ['verified', ({ copies }) => copies.map(({ verifiedAt, damage }) => damage ?? verifiedAt ?? 'never').join(', ')],
];

const versionColumns: readonly Column<ServiceImageBody>[] = [
  ['version', ({ version, selected }) => `${version}${selected ? ' (selected)' : ''}`],
  ['disk', ({ disk, diskBytes }) => `${disk.slice(0, 12)} ${formatBytes(diskBytes)}`],
  [
    'saved state',
    ({ savedState }) => (savedState ? `${formatBytes(savedState.sizeBytes)}${savedState.fits ? '' : ', fits no host'}` : 'none'),
  ],
  ['runs', ({ instances }) => String(instances)],
  ['made', ({ createdAt }) => createdAt],
];

/** Images: what services are started from. */
export function addImageCommands(image: Command, api: () => ApiClient): void {
  image
    .command('list')
    .description('images on all hosts, or the versions of one service')
    .argument('[service]')
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string | undefined, output: { json: boolean }) => {
      if (serviceId === undefined) {
        const { images } = await api().request<{ images: ImageBody[] }>('GET', '/v1/images');
        show(output, images, (rows) => formatTable(rows, columns, 'No images yet.'));
        return;
      }
      const { images } = await api().request<{ images: ServiceImageBody[] }>('GET', `/v1/services/${encodeURIComponent(serviceId)}/images`);
      show(output, images, (rows) => formatTable(rows, versionColumns, `${serviceId} has no image yet.`));
    });

  image
    .command('select')
    .description('have new Service VMs start from a version of the image: go back, or forth again')
    .argument('<service>')
    .argument('<version>', 'as image list <service> shows it', wholeNumber)
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, version: number, output: Output) => {
      const selected = await api().request<ServiceView>('POST', `/v1/services/${encodeURIComponent(serviceId)}/images/${version}/select`);
      show(output, selected, () => `New Service VMs of ${serviceId} start from image ${version}.`);
    });

  image
    .command('remove')
    .description('delete a version of the image that nothing starts from')
    .argument('<service>')
    .argument('<version>', 'as image list <service> shows it', wholeNumber)
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, version: number, output: Output) => {
      await api().request('DELETE', `/v1/services/${encodeURIComponent(serviceId)}/images/${version}`);
      show(
        output,
        { removed: version },
        () => `Image ${version} of ${serviceId} is deleted. Its disk space is free within a minute or two.`,
      );
    });

  image
    .command('verify')
    .description('hash all images, and report those that are damaged')
    .option('--json', 'events as JSON, one a line', false)
    .action(async (output: { json: boolean }) => {
      const client = api();
      const { result } = await runOperation(client, { method: 'POST', path: '/v1/images/verify' }, output);
      const { checked, damaged } = result as unknown as VerificationOutcome;
      if (!output.json) say(`${checked} images read, ${damaged.length} damaged.`);
      if (damaged.length === 0) return;
      const list = damaged.map(({ kind, sha256, damage }) => `${kind} ${sha256.slice(0, 12)}: ${damage}`).join('; ');
      throw new CloudletError(
        'image-unavailable',
        `Damaged: ${list}. Build or import the services that use them again (cloudlet image list).`,
      );
    });
}
