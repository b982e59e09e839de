import type { Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceView } from '../../workflows/contract/http.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { show, type Output } from '../cli/output.ts';
import { describeService } from './describe-service.ts';
import { addSpecOptions, specChange, specOptionsOf } from './spec-options.ts';

/** `service edit`: changes what new instances get. */
export function addServiceEdit(service: Command, api: () => ApiClient): void {
  addSpecOptions(
    service
      .command('edit')
      .description('change a service; Service VMs that run keep what they began with')
      .argument('<service>')
      .option('--json', 'as JSON', false),
  ).action(async (serviceId: string, options: Output) => {
    const client = api();
    const path = `/v1/services/${encodeURIComponent(serviceId)}`;
    const { body, tag } = await client.read(path);
    const change = specChange(specOptionsOf(options), body as ServiceView);
    if (Object.keys(change).length === 0) {
      throw new CloudletError('invalid-input', 'Say what to change: cloudlet service edit --help lists what there is.');
    }
    // What somebody else changed between our look and our change is not overwritten.
    const changed = await client.request<ServiceView>('PATCH', path, change, tag ? { 'if-match': tag } : {});
    show(options, changed, describeService);
  });
}
