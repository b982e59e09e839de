import { defineConfig } from 'vitest/config';

/**
 * unit: pure code, beside the code it tests. integration: real PostgreSQL and Temporal. system: real libvirt, QEMU and
 * Avahi and Chromium, one file at a time. faults: the whole matrix of kills, which `npm test` only takes a sample of.
 */
const notTests = ['**/node_modules/**', '**/dist/**', '**/.cloudlet/**', '**/.next/**'];

/** Real daemons on a busy machine miss a deadline now and then; test/support/second-tries.ts tells when one did. */
const secondTry = 1;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['**/*.test.ts'],
          exclude: [...notTests, '**/*.integration.test.ts', '**/*.system.test.ts', '**/*.faults.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 1 },
          // Each file brings a database and a Temporal of its own, and waits for timers more than it computes.
          maxWorkers: 3,
          include: ['**/*.integration.test.ts'],
          exclude: notTests,
          retry: secondTry,
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system',
          sequence: { groupOrder: 2 },
          include: ['**/*.system.test.ts'],
          exclude: notTests,
          retry: secondTry,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'faults',
          sequence: { groupOrder: 2 },
          include: ['**/*.faults.test.ts'],
          exclude: notTests,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
