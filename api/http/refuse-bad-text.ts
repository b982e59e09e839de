import type { FastifyRequest } from 'fastify';
import { CloudletError, type InputError } from '../../workflows/contract/errors.ts';

/**
 * A `preValidation` hook: refuses text that cannot be stored or written down, wherever it stands in a request. The
 * database takes neither NUL nor half a surrogate pair, and no service, device or file has one in its name.
 * @throws CloudletError `invalid-input`
 */
export async function refuseBadText({ params, query, body }: FastifyRequest): Promise<void> {
  const errors = badTexts({ params, querystring: query, body });
  if (errors.length === 0) return;
  const places = errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; ');
  throw new CloudletError('invalid-input', `The request is not valid: ${places}.`, { errors });
}

/** Says nothing of more faults than a person would read. */
const maximumErrors = 10;

/** Walks without recursion: a body may be nested deeper than the stack. */
export function badTexts(root: unknown): InputError[] {
  const errors: InputError[] = [];
  const open: { readonly pointer: string; readonly value: unknown }[] = [{ pointer: '', value: root }];
  for (let next = open.pop(); next !== undefined && errors.length < maximumErrors; next = open.pop()) {
    const { pointer, value } = next;
    const fault = typeof value === 'string' ? faultOf(value) : undefined;
    if (fault !== undefined) errors.push({ pointer, message: fault });
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      const keyFault = faultOf(key);
      if (keyFault !== undefined) errors.push({ pointer, message: `has a field whose name ${keyFault}` });
      else open.push({ pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, value: item });
    }
  }
  return errors;
}

function faultOf(text: string): string | undefined {
  if (text.includes('\0')) return 'contains a NUL character';
  return text.isWellFormed() ? undefined : 'contains half a character (a lone surrogate)';
}
