/** Who asks. A principal reaches every route and, through the operation, every workflow. */
export type Principal =
  | { readonly kind: 'anonymous'; readonly address: string }
  | { readonly kind: 'device'; readonly deviceId: string; readonly address: string }
  | { readonly kind: 'token'; readonly role: 'admin'; readonly name: string };

/** Name of a principal in rows, logs and Temporal: who a lease belongs to, who asked for an operation. */
export function principalName(principal: Principal): string {
  switch (principal.kind) {
    case 'anonymous':
      return `address:${principal.address}`;
    case 'device':
      return `device:${principal.deviceId}`;
    case 'token':
      return `${principal.role}:${principal.name}`;
  }
}

/** Things that a security plugin decides about: `security.decide` gets one of these. */
export const securityActions = [
  'cloudlet.read',
  'service.list',
  'service.start',
  'service.manage',
  'service-vm.join',
  'service-vm.read',
  'service-vm.use',
  'service-vm.stop',
  'service-vm.list',
  'operation.read',
  'operation.list',
  'operation.cancel',
  'event.read',
  'plugin.read',
  'metrics.read',
  'session.create',
  'upload.manage',
  'app.list',
  'app.manage',
] as const;
export type SecurityAction = (typeof securityActions)[number];

/** What an action is about, as far as a decision needs it. */
export interface SecurityResource {
  /** The principal that asked for the thing, or holds a lease on it (proven by device id, address or lease token). */
  readonly owned?: boolean;
  readonly serviceId?: string;
}

export type Decision = { readonly allow: true } | { readonly allow: false; readonly reason: string };
