import type { PageStart } from '../../activities/store/page-start.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';

/** The `next` of a page, as a later request hands it back. Says where the page ended; opaque to clients. */
export const cursorPattern = '^[A-Za-z0-9_-]{1,100}$';

export const encodeCursor = ({ at, id }: PageStart): string => Buffer.from(`${at.getTime()} ${id}`).toString('base64url');

/** @throws CloudletError `invalid-input` */
export function decodeCursor(text: string): PageStart {
  const match = /^(\d{1,15}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (!match) {
    throw new CloudletError('invalid-input', 'The cursor is not one that a page of this list ended with.', {
      errors: [{ pointer: '/querystring/cursor', message: 'is not the `next` of an earlier page' }],
    });
  }
  return { at: new Date(Number(match[1])), id: match[2]! };
}
