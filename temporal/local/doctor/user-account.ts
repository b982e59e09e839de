import { readFile } from 'node:fs/promises';

export interface UserAccount {
  readonly name: string;
  readonly uid: number;
  /** Of its own group and of all that it is a member of. */
  readonly groupIds: readonly number[];
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(':'));

/** Reads passwd(5) and group(5). */
export function parseAccounts(passwd: string, group: string): readonly UserAccount[] {
  const groups = rows(group).map(([, , gid, members]) => ({ gid: Number(gid), members: (members ?? '').split(',') }));
  return rows(passwd).map(([name = '', , uid, gid]) => ({
    name,
    uid: Number(uid),
    groupIds: [Number(gid), ...groups.filter(({ members }) => members.includes(name)).map((entry) => entry.gid)],
  }));
}

/** @returns the accounts in this host's own files */
export async function readAccounts(): Promise<readonly UserAccount[]> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  return parseAccounts(await read('/etc/passwd'), await read('/etc/group'));
}

/** Bits as in a file's mode. */
export const permission = { read: 4, write: 2, pass: 1 } as const;

/** Whether a user may do all of `wanted` with a file or folder. @param file as stat gives it */
export function isPermitted(file: { mode: number; uid: number; gid: number }, user: UserAccount, wanted: number): boolean {
  if (user.uid === 0) return true;
  const shift = file.uid === user.uid ? 6 : user.groupIds.includes(file.gid) ? 3 : 0;
  return ((file.mode >> shift) & wanted) === wanted;
}
