/** Who may do what on a cloudlet where phones do not sign in. Pure. */
import type { Decision, Principal, SecurityAction, SecurityResource } from '../../workflows/contract/principal.ts';

type Audience = 'anyone' | 'owner' | 'admin';

/**
 * Open is what a phone needs: to see the cloudlet and its services, to start or join one, and to handle what it asked
 * for itself. What tells of others, or changes the cloudlet, is the admin's. `event.read` without an owned subject
 * means all events; the public ones the API shows to everybody without asking.
 */
const audiences: Readonly<Record<SecurityAction, Audience>> = {
  'cloudlet.read': 'anyone',
  'service.list': 'anyone',
  'service.start': 'anyone',
  'service.manage': 'admin',
  'service-vm.join': 'anyone',
  'service-vm.read': 'owner',
  'service-vm.use': 'owner',
  'service-vm.stop': 'owner',
  'service-vm.list': 'admin',
  'operation.read': 'owner',
  'operation.list': 'admin',
  'operation.cancel': 'owner',
  'event.read': 'owner',
  'plugin.read': 'admin',
  'metrics.read': 'admin',
  'session.create': 'admin',
  'upload.manage': 'admin',
  'app.list': 'anyone',
  'app.manage': 'admin',
};

const howToBeAdmin = 'send the admin token (DATA_DIR/admin.token) as `Authorization: Bearer …`';

const refusals: Readonly<Record<Exclude<Audience, 'anyone'>, string>> = {
  owner:
    'Only the one who asked for this, or an admin, may do it: ask from the same device, or send the lease token that ' +
    `the start answered with. As an admin, ${howToBeAdmin}.`,
  admin: `Only an admin may do this: ${howToBeAdmin}.`,
};

const isAdmin = (principal: Principal): boolean => principal.kind === 'token' && principal.role === 'admin';

/** @returns a refusal whose reason says what to do instead */
export function decide(principal: Principal, action: SecurityAction, resource: SecurityResource): Decision {
  const audience = audiences[action];
  if (audience === 'anyone' || isAdmin(principal)) return { allow: true };
  if (audience === 'owner' && resource.owned === true) return { allow: true };
  return { allow: false, reason: refusals[audience] };
}
