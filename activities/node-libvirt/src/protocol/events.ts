/**
 * Every event this package can subscribe to: the number it is registered by (`virDomainEventID`), the number of its message in
 * `remote_protocol.x`, the body of that message, and what is handed out for it. A new one is one entry.
 */
import { int, optional, string, struct, type Codec, type Fields, type StructOf } from '../xdr/codec.ts';
import { BlockJobStatus, BlockJobType, MetadataType } from './domain-enums.ts';
import { enumName } from './enum-name.ts';
import { AgentReason, AgentState, IoErrorAction, LifecycleEventType, WatchdogAction } from './event-enums.ts';
import { lifecycleDetail } from './lifecycle-detail.ts';
import { domain, type DomainReference } from './references.ts';
import { typedParameterRecord, typedParameters } from './typed-parameters.ts';

interface EventDefinition<Body, Payload> {
  readonly eventId: number;
  readonly procedure: number;
  readonly body: Codec<Body>;
  payload(body: Body): Payload;
}

function event<F extends Fields, P extends { readonly domain: DomainReference }>(
  eventId: number,
  procedure: number,
  fields: F,
  payload: (body: StructOf<F>) => P,
): EventDefinition<StructOf<F>, P> {
  return { eventId, procedure, body: struct(fields), payload };
}

const callbackId = int;

export const events = {
  /** A domain was defined, started, suspended, resumed, stopped... */
  lifecycle: event(0, 318, { callbackId, message: struct({ domain, event: int, detail: int }) }, ({ message }) => ({
    domain: message.domain,
    event: enumName(LifecycleEventType, message.event),
    detail: lifecycleDetail(message.event, message.detail),
    eventCode: message.event,
    detailCode: message.detail,
  })),
  reboot: event(1, 319, { callbackId, message: struct({ domain }) }, ({ message }) => ({ domain: message.domain })),
  watchdog: event(3, 321, { callbackId, message: struct({ domain, action: int }) }, ({ message }) => ({
    domain: message.domain,
    action: enumName(WatchdogAction, message.action),
    actionCode: message.action,
  })),
  'io-error': event(
    6,
    324,
    { callbackId, message: struct({ domain, path: string, device: string, action: int, reason: string }) },
    ({ message }) => ({ ...message, action: enumName(IoErrorAction, message.action), actionCode: message.action }),
  ),
  /** `device` is the name the guest sees, such as `vda`. */
  'block-job': event(16, 339, { callbackId, domain, device: string, type: int, status: int }, (body) => ({
    domain: body.domain,
    device: body.device,
    type: enumName(BlockJobType, body.type),
    status: enumName(BlockJobStatus, body.status),
    typeCode: body.type,
    statusCode: body.status,
  })),
  'agent-lifecycle': event(18, 348, { callbackId, domain, state: int, reason: int }, (body) => ({
    domain: body.domain,
    state: enumName(AgentState, body.state),
    reason: enumName(AgentReason, body.reason),
    stateCode: body.state,
    reasonCode: body.reason,
  })),
  /** A migration or save begins its next pass over the memory. */
  'migration-iteration': event(20, 359, { callbackId, domain, iteration: int }, (body) => ({
    domain: body.domain,
    iteration: body.iteration,
  })),
  /** A job has ended; `statistics` are those of `DomainJob.stats`. */
  'job-completed': event(21, 363, { callbackId, domain, parameters: typedParameters(64) }, (body) => ({
    domain: body.domain,
    parameters: body.parameters,
    statistics: typedParameterRecord(body.parameters),
  })),
  'metadata-change': event(23, 379, { callbackId, domain, type: int, uri: optional(string) }, (body) => ({
    domain: body.domain,
    type: enumName(MetadataType, body.type),
    uri: body.uri,
    typeCode: body.type,
  })),
} as const;

export type EventKind = keyof typeof events;
export type EventPayload<K extends EventKind> = ReturnType<(typeof events)[K]['payload']>;
/** One event as it is handed out. `kind` tells them apart. */
export type DomainEvent<K extends EventKind = EventKind> = { [E in K]: { readonly kind: E } & Readonly<EventPayload<E>> }[K];

const kindsByProcedure = new Map(Object.entries(events).map(([kind, { procedure }]) => [procedure, kind as EventKind]));

/** Which event a message of the main program is, if it is one of ours. */
export function eventKindOf(procedure: number): EventKind | undefined {
  return kindsByProcedure.get(procedure);
}
