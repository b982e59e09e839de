/** How things are named towards Temporal and libvirt. Deterministic: the same input, the same id. */

/** Task queue of all workflows and of activities that any host may run. */
export const cloudletTaskQueue = 'cloudlet';

/** Task queue of activities that only one host can run: they touch its libvirt, disks and network. */
export const hostTaskQueue = (hostId: string): string => `host-${hostId}`;

const serviceVmPrefix = 'service-vm/';
export const serviceVmWorkflowId = (serviceVmId: string): string => serviceVmPrefix + serviceVmId;
/** The instance that a workflow owns, or undefined where the id is of another kind. */
export const serviceVmIdOf = (workflowId: string): string | undefined =>
  workflowId.startsWith(serviceVmPrefix) ? workflowId.slice(serviceVmPrefix.length) : undefined;

/** One build of a service at a time: the service's own name is the idempotency key. */
export const buildServiceImageWorkflowId = (serviceId: string): string => `build-service-image/${serviceId}`;
export const refreshSavedStateWorkflowId = (serviceId: string): string => `refresh-saved-state/${serviceId}`;
export const removeServiceWorkflowId = (serviceId: string): string => `remove-service/${serviceId}`;
/** One at a time per host, so that filling a pool never crowds out those who wait for a start. */
export const fillWarmPoolWorkflowId = (hostId: string): string => `fill-warm-pool/${hostId}`;
/** One at a time: it reads every byte that there is. */
export const verifyImagesWorkflowId = 'verify-images';
export const importServiceWorkflowId = (operationId: string): string => `import-service/${operationId}`;
export const exportServiceWorkflowId = (operationId: string): string => `export-service/${operationId}`;
export const installAppWorkflowId = (appId: string): string => `install-app/${appId}`;
export const reconcileHostWorkflowId = (hostId: string): string => `reconcile-host/${hostId}`;
export const reconcileHostScheduleId = (hostId: string): string => `reconcile-host-schedule/${hostId}`;

/** XML namespace of our `<metadata>` in a domain: what carries it is ours, whatever its name. */
export const domainMetadataNamespace = 'urn:cloudlet:service-vm:1';

/** The part of a domain's name that says it is ours; tests put another prefix before the instance id. */
export const defaultDomainPrefix = 'cloudlet-';
