import { describe, expect, it } from 'vitest';
import { cpuOf } from './host-cpu.ts';

const capabilities = (vendor: string, model: string, features: readonly string[]) => `<capabilities><host><uuid>1</uuid><cpu>
  <arch>x86_64</arch><model>${model}</model><vendor>${vendor}</vendor><microcode version='240'/>
  ${features.map((name) => `<feature name='${name}'/>`).join('')}</cpu></host></capabilities>`;
const skylake = cpuOf(capabilities('Intel', 'Skylake', ['avx', 'vmx']));

describe('the CPU of a host', () => {
  it('is named by its model', () => expect(skylake).toMatch(/^Skylake [0-9a-f]{12}$/));
  it('is the same in whatever order its features are told', () =>
    expect(cpuOf(capabilities('Intel', 'Skylake', ['vmx', 'avx']))).toBe(skylake));
  it.each([
    ['vendor', cpuOf(capabilities('AMD', 'Skylake', ['avx', 'vmx']))],
    ['model', cpuOf(capabilities('Intel', 'Icelake', ['avx', 'vmx']))],
    ['features', cpuOf(capabilities('Intel', 'Skylake', ['avx']))],
  ])('is another one with another %s', (_, other) => expect(other).not.toBe(skylake));
});
