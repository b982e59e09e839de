import { pipeline } from 'node:stream/promises';
import type { Client, StoragePool } from '../../src/index.ts';
import { echoDisk } from './echo-guest.ts';

const poolXml = "<pool type='dir'><name>images</name><target><path>/var/lib/libvirt/images</path></target></pool>";

export const volumeXml = (name: string, format: 'raw' | 'qcow2') =>
  `<volume><name>${name}</name><capacity unit='MiB'>1</capacity><target><format type='${format}'/></target></volume>`;

/** A pool `images` with the echo guest's disk in it, as `echo.img` and `echo.qcow2`. */
export async function makeEchoDisk(client: Client): Promise<StoragePool> {
  const pool = await client.storagePools.create(poolXml);
  const raw = await pool.createVolume(volumeXml('echo.img', 'raw'));
  await pipeline([echoDisk()], await raw.upload());
  await pool.cloneVolume(volumeXml('echo.qcow2', 'qcow2'), raw);
  return pool;
}
