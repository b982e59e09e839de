import type { CloudletError } from '../../workflows/contract/errors.ts';

/** Refusals in the words of those who were brought the archive. @param fault what is wrong with it, as the rest of a sentence */
export interface ArchiveFaults {
  /** It is damaged, or none. */
  readonly unprocessable: (fault: string) => CloudletError;
  /** It could do harm. */
  readonly unsafe: (fault: string) => CloudletError;
}

/** @param name bytes of a name, one a character */
export const readable = (name: string): string => {
  const text = Buffer.from(name, 'latin1')
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, '?');
  return `"${text.length > 200 ? `${text.slice(0, 200)}…` : text}"`;
};
