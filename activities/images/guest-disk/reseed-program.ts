/**
 * A program of 170 bytes that makes the guest's kernel draw a new seed for its random numbers: what is written to
 * `/dev/urandom` is used within a minute otherwise, and until then the clones of one saved state have the same numbers.
 * Kernels with CONFIG_VMGENID do it by themselves, Debian's cloud kernel has none, and nothing in busybox does it. Its
 * exit status is 0, or what Linux said.
 */
const program: readonly (readonly [machineCode: string, assembly: string])[] = [
  ['b802000000 bfa2004000 be01000000 0f05', 'open("/dev/urandom", O_WRONLY): mov eax, 2; mov edi, 0x4000a2; mov esi, 1; syscall'],
  ['89c7 b810000000 be07520000 31d2 0f05', 'ioctl(fd, RNDRESEEDCRNG): mov edi, eax; mov eax, 16; mov esi, 0x5207; xor edx, edx; syscall'],
  ['89c7 b83c000000 0f05', 'exit: mov edi, eax; mov eax, 60; syscall'],
];
const device = '/dev/urandom\0';

const loadAddress = 0x40_0000;
const elfHeaderBytes = 64;
const programHeaderBytes = 56;

/** @returns a static ELF executable for x86-64 */
export function reseedProgram(): Buffer {
  const code = Buffer.from(program.map(([machineCode]) => machineCode.replaceAll(' ', '')).join(''), 'hex');
  const body = Buffer.concat([code, Buffer.from(device, 'latin1')]);
  const start = elfHeaderBytes + programHeaderBytes;
  return Buffer.concat([elfHeader(loadAddress + start), programHeader(start + body.length), body]);
}

/** ELF-64, little endian, executable, one program header behind it. */
function elfHeader(entry: number): Buffer {
  const header = Buffer.alloc(elfHeaderBytes);
  header.write('7f454c46020101', 'hex');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(entry, 24);
  header.writeUInt32LE(elfHeaderBytes, 32);
  header.writeUInt16LE(elfHeaderBytes, 52);
  header.writeUInt16LE(programHeaderBytes, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** All of the file, readable and executable. */
function programHeader(bytes: number): Buffer {
  const header = Buffer.alloc(programHeaderBytes);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(5, 4);
  header.writeUInt32LE(loadAddress, 16);
  header.writeUInt32LE(loadAddress, 24);
  header.writeUInt32LE(bytes, 32);
  header.writeUInt32LE(bytes, 40);
  header.writeUInt32LE(0x1000, 48);
  return header;
}
