import { statSync } from 'node:fs';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { runProgram } from '../supervisor/run-program.ts';

const nobody = 65_534;

/** A way to run a program as somebody other than root: what stands before its argv. */
interface Disguise {
  readonly prefix: readonly string[];
  /** Who must own the folder that it writes to. */
  readonly ownerId: number;
}

const asUser = (userId: number): Disguise => ({
  prefix: ['setpriv', `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--'],
  ownerId: userId,
});

/**
 * In a user namespace root can take another name and stay the owner of its files: no system user is needed, and a
 * checkout under /root remains readable.
 */
const renamedRoot: Disguise = { prefix: ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'], ownerId: 0 };

/**
 * Finds how a program that refuses to run as root can be run here, by trying.
 *
 * @param program absolute path of what must be executable
 * @param directory what must be writable; may change its owner
 * @returns what to put before the program's argv; nothing where we are not root
 * @throws CloudletError `internal` where no user could do it
 */
export async function unprivilegedCommand(program: string, directory: string): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  const checkoutOwner = statSync(program).uid;
  const disguises = [renamedRoot, ...(checkoutOwner === 0 ? [] : [asUser(checkoutOwner)]), asUser(nobody)];
  const settings = { environment: inheritedEnvironment(), timeoutMs: 30_000 };
  for (const { prefix, ownerId } of disguises) {
    // A former start may have had another owner, e.g. when the checkout has moved.
    if (statSync(directory).uid !== ownerId) await runProgram(['chown', '--recursive', String(ownerId), directory], settings);
    const probe = ['sh', '-c', 'test -x "$1" && test -w "$2"', 'sh', program, directory] as const;
    const [first, ...rest] = [...prefix, ...probe];
    const { status } = await runProgram([first ?? 'sh', ...rest], settings);
    if (status === 0) return prefix;
  }
  throw new CloudletError(
    'internal',
    `PostgreSQL does not run as root, and no other user reaches ${program} and ${directory}. Allow user namespaces (sysctl user.max_user_namespaces), ` +
      'or put the checkout and CLOUDLET_DATA_DIR where every user may pass, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}
