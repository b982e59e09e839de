import { mkdir } from 'node:fs/promises';
import { probeAccelerator } from '../probe-accelerator.ts';
import type { Check } from './check.ts';

export const checkAccelerator: Check = {
  id: 'accelerator',
  title: 'Hardware virtualization',
  async run({ dataDir }) {
    await mkdir(dataDir.run, { recursive: true, mode: 0o700 });
    const { accelerator, reason } = await probeAccelerator(dataDir.run);
    if (accelerator === 'kvm') return { status: 'ok', finding: reason.replace(/\.$/, '') };
    return {
      status: 'warn',
      finding: `guests run by translation (TCG). ${reason.replace(/\.$/, '')}`,
      cost: 'work in a guest takes about 6 times as long',
      remedy: 'Turn on VT-x or AMD-V in the firmware, or nested virtualization in the hypervisor that runs this machine.',
    };
  },
};
