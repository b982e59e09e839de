/**
 * A program that looks for DNS-SD services as a phone does, with nothing of Avahi in it, and prints what answers as JSON.
 * Usage: mdns-browse.ts ADDRESS TYPE MILLISECONDS
 */
import { setTimeout as delay } from 'node:timers/promises';
import { multicastDns, type MdnsRecord } from './multicast-dns.ts';

/** What it prints, a list of these. */
export interface FoundService {
  readonly instance: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly txt: readonly string[] | undefined;
  readonly address: string | undefined;
}

function servicesIn(records: readonly MdnsRecord[], type: string): FoundService[] {
  const pointers = records.flatMap((record) => (record.type === 'PTR' && record.name === type ? record.data : []));
  return [...new Set(pointers)].map((pointer): FoundService => {
    const service = records.flatMap((record) => (record.type === 'SRV' && record.name === pointer ? record.data : []))[0];
    const text = records.flatMap((record) => (record.type === 'TXT' && record.name === pointer ? [record.data] : []))[0];
    const address = records.flatMap((record) => (record.type === 'A' && record.name === service?.target ? record.data : []))[0];
    const instance = pointer.slice(0, -type.length - 1);
    return { instance, host: service?.target, port: service?.port, txt: text?.map(String), address };
  });
}

const [address = '', type = '', milliseconds = ''] = process.argv.slice(2);
const mdns = multicastDns(address);
const records: MdnsRecord[] = [];
mdns.on('response', ({ answers, additionals }) => records.push(...answers, ...additionals));
mdns.on('ready', () => mdns.query(`${type}.local`, 'PTR'));
await delay(Number(milliseconds));
mdns.destroy();
process.stdout.write(JSON.stringify(servicesIn(records, `${type}.local`)));
