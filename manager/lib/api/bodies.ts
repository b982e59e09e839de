/** What the API answers with, where the contract's schemas leave references that TypeScript cannot follow. */
import type { Static } from 'typebox';
import type * as http from '../../../workflows/contract/http.ts';

export type Cloudlet = Omit<Static<typeof http.CloudletBody>, 'services'> & { readonly services: readonly http.ServiceView[] };
export type Health = Static<typeof http.HealthBody>;
export type Service = http.ServiceView;
export type ServiceVm = http.ServiceVmBody;
export type Operation = http.OperationBody;

export type StartAnswer = http.StartAnswer;

/** One page of a list; `next` is the cursor of the following one. */
export interface OperationPage {
  readonly operations: readonly Operation[];
  readonly next: string | null;
}

export interface ServiceVmPage {
  readonly serviceVms: readonly ServiceVm[];
  readonly next: string | null;
}

/** From worst to best, as the plugin runtime reports them. */
export type PluginState = 'failed' | 'blocked' | 'degraded' | 'running' | 'idle';

/** `GET /v1/plugins` is described by the plugin runtime, whose types are not for us to import. */
export interface Plugin {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly version?: string;
  readonly required: boolean;
  readonly state: PluginState;
  readonly detail: string;
  readonly since: string;
  readonly contributes: readonly string[];
  readonly handles: readonly string[];
  readonly processes: readonly { readonly process: string; readonly state: PluginState; readonly detail: string; readonly since: string }[];
}

/** One entry of the event table. */
export interface CloudletEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}
