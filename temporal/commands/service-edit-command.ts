import { Option, type Command } from 'commander';
import type { ServiceChange, ServiceView } from '../../workflows/contract/http.ts';
import type { ApiClient } from '../cli/api-client.ts';
import { show } from '../cli/output.ts';
import { wholeNumber, wholeNumberOrZero } from './whole-number.ts';

interface EditOptions extends Omit<ServiceChange, 'memory' | 'tags' | 'maximumUsers' | 'poolSize' | 'restartPolicy' | 'osType'> {
  readonly memory?: number;
  readonly minimumMemory?: number;
  readonly tag?: string[];
  readonly users?: number;
  readonly pool?: number;
  readonly restart?: ServiceChange['restartPolicy'];
  readonly os?: ServiceChange['osType'];
  readonly json: boolean;
}

const choice = (flags: string, about: string, choices: readonly string[]) => new Option(flags, about).choices(choices);

/** `service edit`: changes what new instances get. */
export function addServiceEdit(service: Command, api: () => ApiClient): void {
  service
    .command('edit')
    .description('change a service; Service VMs that run keep what they began with')
    .argument('<service>')
    .option('--description <text>', 'what it is for')
    .option('--version <text>', 'its version, for people')
    .option('--tag <tag...>', 'all its tags')
    .option('--vcpus <n>', 'processors of the guest', wholeNumber)
    .option('--memory <MiB>', 'memory of the guest', wholeNumber)
    .option('--minimum-memory <MiB>', 'what a cold boot may fall to', wholeNumber)
    .option('--disk-growth-mib <MiB>', 'how much an instance may write to its disk', wholeNumber)
    .option('--users <n>', 'users of one instance at most', wholeNumber)
    .addOption(choice('--when-full <what>', 'beyond them', ['another', 'refuse']))
    .addOption(choice('--sharing <how>', 'join an instance of others, or always own', ['join', 'own']))
    .option('--idle-seconds <s>', 'without traffic for so long, its users count as gone', wholeNumber)
    .option('--lease-seconds <s>', 'for how long a start or a renewal holds the instance', wholeNumber)
    .addOption(choice('--restart <policy>', 'when its guest ends by itself', ['never', 'on-failure', 'always']))
    .option('--pool <n>', 'instances that wait ready', wholeNumberOrZero)
    .addOption(choice('--os <type>', 'what runs in the guest', ['linux', 'windows', 'other']))
    .option('--json', 'as JSON', false)
    .action(async (serviceId: string, options: EditOptions) => {
      const client = api();
      const path = `/v1/services/${encodeURIComponent(serviceId)}`;
      const { body, tag } = await client.read(path);
      const change = changeOf(options, body as ServiceView);
      // What somebody else changed between our look and our change is not overwritten.
      const changed = await client.request<ServiceView>('PATCH', path, change, tag ? { 'if-match': tag } : {});
      show(options, changed, ({ description, memory, vcpus }) =>
        [`${serviceId} is changed.`, `${vcpus} vCPU, ${memory.idealMib} MiB, at least ${memory.minimumMib}. ${description}`].join('\n'),
      );
    });
}

/** @param present what memory is now, since both of its figures are changed together */
export function changeOf(options: EditOptions, present: Pick<ServiceView, 'memory'>): ServiceChange {
  const { json: _json, memory, minimumMemory, tag, users, pool, restart, os, ...others } = options;
  const idealMib = memory ?? present.memory.idealMib;
  const minimumMib = minimumMemory ?? Math.min(present.memory.minimumMib, idealMib);
  return {
    ...others,
    ...(memory === undefined && minimumMemory === undefined ? {} : { memory: { idealMib, minimumMib } }),
    ...(tag ? { tags: tag } : {}),
    ...(users === undefined ? {} : { maximumUsers: users }),
    ...(pool === undefined ? {} : { poolSize: pool }),
    ...(restart ? { restartPolicy: restart } : {}),
    ...(os ? { osType: os } : {}),
  };
}
