/**
 * A program that is a cloudlet on the network, announced for moments only: when it is killed it says no goodbye, and its
 * address soon expires. Real daemons announce theirs for two minutes.
 * Usage: mdns-mortal-peer.ts ADDRESS TYPE NAME PORT SECONDS
 */
import { multicastDns, type MdnsRecord } from '../../../test/support/multicast-dns.ts';

const [address = '', type = '', name = '', port = '', seconds = ''] = process.argv.slice(2);
const ttl = Number(seconds);
const service = `${type}.local`;
const instance = `${name}.${service}`;
const records: MdnsRecord[] = [
  { type: 'PTR', name: service, ttl: 4500, data: instance },
  { type: 'SRV', name: instance, ttl, data: { target: `${name}.local`, port: Number(port) } },
  { type: 'TXT', name: instance, ttl, data: [Buffer.from('encryption=enabled')] },
  { type: 'A', name: `${name}.local`, ttl, data: address },
];
const mdns = multicastDns(address);
const names = records.map((record) => record.name);
mdns.on('query', ({ questions }) => {
  if (questions.some((question) => names.includes(question.name))) mdns.respond(records);
});
mdns.on('ready', () => mdns.respond(records));
