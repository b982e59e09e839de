import { Command } from 'commander';
import { CloudletError, toProblem } from '../workflows/contract/errors.ts';
import { addAdminCommands } from './commands/admin-commands.ts';
import { addClientCommands } from './commands/client-commands.ts';
import { addNodeCommands } from './commands/node-commands.ts';

/** The `cloudlet` command: runs a cloudlet, looks after it, and asks it for things. */
const program = new Command('cloudlet')
  .description('A cloudlet server: phones ask it for a service and get the address of a Service VM that already answers.')
  .showHelpAfterError('(cloudlet --help lists the commands)')
  .configureHelp({ showGlobalOptions: true });
addNodeCommands(program);
addAdminCommands(program);
addClientCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${described(error)}\n`);
  process.exitCode = error instanceof CloudletError && error.code === 'cancelled' ? 130 : 1;
}

/** What went wrong is a sentence; where it went wrong in our code helps only with our own mistakes. */
function described(error: unknown): string {
  if (!(error instanceof CloudletError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return process.argv.includes('--json') ? JSON.stringify(toProblem(error)) : error.message;
}
