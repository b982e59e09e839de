import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { refuse } from './refuse.ts';

/**
 * Reads a JSON document of a stranger.
 * @param name of the document, for people
 * @throws CloudletError `unprocessable-bundle` saying where it is wrong
 */
export function parseDocument<Schema extends TSchema>(name: string, bytes: Buffer, schema: Schema): Static<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`${name} is not JSON (${(error as Error).message.slice(0, 120)})`, error);
  }
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw refuse(`${name} is not as it should be: ${first ? `${first.instancePath || '/'} ${first.message}` : 'it has other fields'}`);
}
