import { DefaultLogger, type LogEntry, type Logger as SdkLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

/** What Temporal's SDK says, in our log. Its routine news are debugging to us. */
export const temporalLogger = (log: Logger): SdkLogger =>
  new DefaultLogger('INFO', ({ level, message, meta }: LogEntry) => {
    const facts = meta ?? {};
    if (level === 'ERROR') log.error(facts, message);
    else if (level === 'WARN') log.warn(facts, message);
    else log.debug(facts, message);
  });
