import { pino, type Logger } from 'pino';

/** One line of JSON an entry, to standard output; whoever started the process keeps it. */
export const createLog = (name: string, level: string): Logger =>
  pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } });
