import type { Service, ServiceVm } from './bodies.ts';
import type { NamedOperation } from './service-names.ts';

/** A service with what goes on about it. One that is still being built for the first time has nothing else to show. */
export interface ServiceRow {
  readonly serviceId: string;
  readonly service: Service | undefined;
  /** Instances of it that live. */
  readonly running: readonly ServiceVm[];
  readonly build: NamedOperation | undefined;
}

/** @returns one row per service or build, by name, so that rows stay where they are */
export function serviceRows(
  services: readonly Service[],
  serviceVms: readonly ServiceVm[],
  builds: readonly NamedOperation[],
): readonly ServiceRow[] {
  const ids = new Set([...services.map(({ serviceId }) => serviceId), ...builds.map(({ subject }) => subject)]);
  return [...ids].toSorted().map((serviceId) => ({
    serviceId,
    service: services.find((service) => service.serviceId === serviceId),
    running: serviceVms.filter((serviceVm) => serviceVm.serviceId === serviceId),
    build: builds.find(({ subject }) => subject === serviceId),
  }));
}
