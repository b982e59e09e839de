/** How every state looks: the one place. A state without a look does not compile. */
import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleMinus,
  CircleStop,
  CircleX,
  LoaderCircle,
  MoonStar,
  CirclePause,
  TriangleAlert,
} from 'lucide-react';
import type { Accelerator } from '../../../workflows/contract/cloudlet.ts';
import type { OperationState } from '../../../workflows/contract/operation.ts';
import type { EndReason, ServiceVmState } from '../../../workflows/contract/service-vm.ts';
import type { PluginState } from '../../lib/api/bodies.ts';
import type { BadgeLook } from '../ui/badge-look.ts';

export const serviceVmLooks: Readonly<Record<ServiceVmState, BadgeLook>> = {
  requested: { label: 'Requested', tone: 'busy', icon: CircleDashed, moving: true },
  provisioning: { label: 'Provisioning', tone: 'busy', icon: LoaderCircle, moving: true },
  warm: { label: 'Warm', tone: 'idle', icon: CirclePause },
  ready: { label: 'Ready', tone: 'ok', icon: CircleCheck },
  migrating: { label: 'Migrating', tone: 'busy', icon: LoaderCircle, moving: true },
  stopping: { label: 'Stopping', tone: 'warn', icon: LoaderCircle, moving: true },
  stopped: { label: 'Stopped', tone: 'idle', icon: CircleStop },
  failed: { label: 'Failed', tone: 'bad', icon: CircleX },
};

export const operationLooks: Readonly<Record<OperationState, BadgeLook>> = {
  running: { label: 'Running', tone: 'busy', icon: LoaderCircle, moving: true },
  succeeded: { label: 'Succeeded', tone: 'ok', icon: CircleCheck },
  failed: { label: 'Failed', tone: 'bad', icon: CircleX },
  cancelled: { label: 'Cancelled', tone: 'idle', icon: Ban },
};

export const pluginLooks: Readonly<Record<PluginState, BadgeLook>> = {
  failed: { label: 'Failed', tone: 'bad', icon: CircleX },
  blocked: { label: 'Blocked', tone: 'bad', icon: CircleMinus },
  degraded: { label: 'Degraded', tone: 'warn', icon: TriangleAlert },
  running: { label: 'Running', tone: 'ok', icon: CircleCheck },
  idle: { label: 'Idle', tone: 'idle', icon: MoonStar },
};

export type CloudletHealth = 'ready' | 'degraded' | 'unready';

export const healthLooks: Readonly<Record<CloudletHealth, BadgeLook>> = {
  ready: { label: 'Ready', tone: 'ok', icon: CircleCheck },
  degraded: { label: 'Ready, with faults', tone: 'warn', icon: TriangleAlert },
  unready: { label: 'Not ready', tone: 'bad', icon: CircleAlert },
};

/** How guests run, in words. */
export const acceleratorNames: Readonly<Record<Accelerator, string>> = {
  kvm: 'KVM (hardware)',
  tcg: 'TCG (emulated)',
};

/** Why an instance ended, in words. */
const endReasonNames: Readonly<Record<EndReason, string>> = {
  asked: 'It was stopped',
  'last-user-left': 'Its last user left',
  'guest-stopped': 'The guest shut itself down',
  'guest-crashed': 'The guest crashed',
  'host-rebooted': 'The host was rebooted',
  'start-failed': 'It could not be started',
  lost: 'It was lost with its host',
  retired: 'The warm pool had no use for it any more',
};

/** @param reason as the API says it, which may be newer than we are */
export const endReasonName = (reason: string): string => Object.entries(endReasonNames).find(([known]) => known === reason)?.[1] ?? reason;
