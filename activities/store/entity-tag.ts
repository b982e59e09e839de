import { CloudletError } from '../../workflows/contract/errors.ts';

/** Entity tags of an `If-Match` header (RFC 9110, §13.1.1); undefined where the client did not ask. `*` matches all. */
export type IfMatch = readonly string[] | undefined;

/** The strong tag of a row: other rows of the same name had other ids. */
export const entityTag = ({ id, version }: { readonly id: string; readonly version: number }): string => `"${id.slice(0, 8)}.${version}"`;

/** @throws CloudletError `precondition-failed` when the row is not as the client saw it */
export function requireTag(row: { readonly id: string; readonly version: number }, ifMatch: IfMatch): void {
  if (ifMatch === undefined || ifMatch.includes('*') || ifMatch.includes(entityTag(row))) return;
  throw new CloudletError('precondition-failed', 'Somebody changed it after you read it. Read it again, and repeat your change on that.');
}
