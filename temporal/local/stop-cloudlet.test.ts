import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { describeStop, stopCloudlet } from './stop-cloudlet.ts';

const nothing = { supervisorWasRunning: false, libvirtWasRunning: false, endedDomains: [], leftDomains: [] };

describe('stopCloudlet', () => {
  it('has nothing to do where nothing runs', async () => {
    const { config } = loadConfig({ environment: { CLOUDLET_DATA_DIR: '/nonexistent/data' } });
    const { leftDomains: _others, ...result } = await stopCloudlet({ config, vms: false });
    expect(result).toEqual({ supervisorWasRunning: false, libvirtWasRunning: false, endedDomains: [] });
  });
});

describe('describeStop', () => {
  it('says what was ended and what runs on', () => {
    expect(describeStop(nothing)).toEqual(['No cloudlet was running on this data directory.']);
    expect(describeStop({ ...nothing, supervisorWasRunning: true, libvirtWasRunning: true, endedDomains: ['cloudlet-a'] })).toEqual([
      'The cloudlet has stopped.',
      'One Service VM was ended: cloudlet-a.',
      'libvirt has stopped.',
    ]);
    expect(
      describeStop({ ...nothing, supervisorWasRunning: true, libvirtWasRunning: true, leftDomains: ['cloudlet-a', 'cloudlet-b'] }),
    ).toEqual([
      'The cloudlet has stopped.',
      '2 Service VMs run on, with the two small processes that hold them: cloudlet-a, cloudlet-b.',
      'The next npm start takes over what runs on; npm stop -- --vms ends it.',
    ]);
  });
});
