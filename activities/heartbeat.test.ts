import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { CloudletError } from '../workflows/contract/errors.ts';
import { withHeartbeat } from './heartbeat.ts';

const newEnvironment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });
const refused = new CloudletError('hypervisor-refused', 'libvirt refused: the job was aborted');

it('tells work that was cancelled as that, whatever it failed of then', async () => {
  const environment = newEnvironment();
  const failsWhenCancelled = async () => {
    environment.cancel();
    throw refused;
  };
  await expect(environment.run(() => withHeartbeat(failsWhenCancelled))).rejects.not.toBe(refused);
  await expect(newEnvironment().run(() => withHeartbeat(() => Promise.reject(refused)))).rejects.toBe(refused);
});
