import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from '../run-tool.ts';

/** Where guests have it. */
export const guestAgentPath = '/etc/cloudlet/guest-agent';

/**
 * Compiles the small guest agent, `guest-agent.c`, in a folder of the caller's.
 * @returns a static ELF executable for x86-64 that needs nothing else in a guest; equal bytes each time
 * @throws CloudletError `image-unavailable` when the compiler is missing or fails
 */
export async function compileGuestAgent(workDirectory: string, signal: AbortSignal): Promise<Buffer> {
  const program = path.join(workDirectory, 'guest-agent');
  await runTool('tcc', ['-nostdlib', '-static', '-o', program, path.join(import.meta.dirname, 'guest-agent.c')], signal);
  return readFile(program);
}
