import { describe, expect, it } from 'vitest';
import { securityActions, type Principal, type SecurityAction } from '../../workflows/contract/principal.ts';
import { securityDecide } from '../runtime/extension-points.ts';
import { loadPlugins } from '../runtime/load-plugins.ts';
import { recordingLog } from '../runtime/test-support/fake-plugins.ts';
import { decide } from './decide.ts';

const anonymous: Principal = { kind: 'anonymous', address: '192.0.2.7' };
const device: Principal = { kind: 'device', deviceId: 'phone-1', address: '192.0.2.7' };
const admin: Principal = { kind: 'token', role: 'admin', name: 'admin.token' };

const allowedTo = (principal: Principal, owned?: boolean): SecurityAction[] =>
  securityActions.filter((action) => decide(principal, action, owned === undefined ? {} : { owned }).allow);

const forAnyone: SecurityAction[] = ['cloudlet.read', 'service.list', 'service.start', 'service-vm.join', 'app.list'];
const forOwners: SecurityAction[] = [
  'service-vm.read',
  'service-vm.use',
  'service-vm.stop',
  'operation.read',
  'operation.cancel',
  'event.read',
];

describe('security-open', () => {
  it.each([anonymous, device])('lets a stranger ($kind) see and start services, have their apps, and nothing of others', (principal) => {
    expect(allowedTo(principal)).toEqual(forAnyone);
    expect(allowedTo(principal, false)).toEqual(forAnyone);
  });

  it.each([anonymous, device])('lets an owner ($kind) handle what is its own, and not administer', (principal) => {
    expect(allowedTo(principal, true).toSorted()).toEqual([...forAnyone, ...forOwners].toSorted());
  });

  it('lets an admin do everything', () => {
    expect(allowedTo(admin)).toEqual(securityActions);
  });

  it('says in each refusal what to do', () => {
    for (const action of securityActions.filter((action) => !forAnyone.includes(action))) {
      expect(decide(anonymous, action, {})).toEqual({ allow: false, reason: expect.stringContaining('DATA_DIR/admin.token') });
    }
    expect(decide(anonymous, 'service-vm.stop', {})).toMatchObject({ reason: expect.stringContaining('lease token') });
  });

  it('is had by its name alone', async () => {
    const host = await loadPlugins({ configured: [{ name: 'security-open', required: true }], process: 'api', log: recordingLog().log });
    const [contributed] = host.contributions(securityDecide);
    expect(contributed?.contribution.decide(anonymous, 'service.start', {})).toEqual({ allow: true });
  });
});
