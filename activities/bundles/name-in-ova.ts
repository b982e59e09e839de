import { open } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { readDocument } from './bundle-contents.ts';
import { isOvf } from './ova-contents.ts';
import { readChunks } from './read-chunks.ts';
import { readMembers } from './read-members.ts';
import { readOvf } from './read-ovf.ts';

/**
 * The name of the machine in an OVA, as a service can have it.
 * @returns undefined where it says none that would do
 * @throws CloudletError `not-found` where there is no such file, `unprocessable-bundle` where it is no OVA
 */
export async function nameInOva(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new CloudletError('not-found', `The file ${path} cannot be read (${error.code}).`);
  });
  try {
    // By the standard the OVF comes first.
    for await (const member of readMembers(readChunks(file))) {
      return isOvf(member.name) ? readOvf(await readDocument(member, member.content())).serviceId : undefined;
    }
    return undefined;
  } finally {
    await file.close();
  }
}
