import { int, optional, string, struct } from '../xdr/codec.ts';
import { domain, network } from './references.ts';

/** The body of a reply that says no (`virNetMessageError`). */
export const remoteError = struct({
  code: int,
  domain: int,
  message: optional(string),
  level: int,
  dom: optional(domain),
  str1: optional(string),
  str2: optional(string),
  str3: optional(string),
  int1: int,
  int2: int,
  net: optional(network),
});
