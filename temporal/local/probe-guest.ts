/**
 * A guest of one boot sector that does what every kernel does first: real mode, long mode with paging, a jump into the
 * upper half of the address space, an exception through its descriptor table and back. A nested KVM may create a machine
 * and run its firmware, and still fail at the exception: then no stock kernel boots in it.
 *
 * It writes a letter to port 0xe9 after each step and ends QEMU through `isa-debug-exit` at port 0xf4. The BIOS loads it
 * at 0x7c00.
 */
const program: readonly (readonly [machineCode: string, assembly: string])[] = [
  ['fa', 'cli'],
  ['31c0 8ed8 8ec0 8ed0 bc007c', 'xor ax, ax; mov ds, ax; mov es, ax; mov ss, ax; mov sp, 0x7c00'],
  ['bae900 b052 ee', "mov dx, 0xe9; mov al, 'R'; out dx, al"],
  // Page tables from 0x1000 to 0x5000: the first 2 MiB in the lower half, and at 0xffffffff80000000.
  ['66bf00100000 0f22df', 'mov edi, 0x1000; mov cr3, edi'],
  ['6631c0 66b900100000 66f3ab', 'xor eax, eax; mov ecx, 0x1000; rep stosd'],
  ['66c70600100320 0000', 'mov dword [0x1000], 0x2003'],
  ['66c706f81f0340 0000', 'mov dword [0x1ff8], 0x4003'],
  ['66c70600200330 0000', 'mov dword [0x2000], 0x3003'],
  ['66c706f04f0330 0000', 'mov dword [0x4ff0], 0x3003'],
  ['66c70600308300 0000', 'mov dword [0x3000], 0x0083'],
  ['0f20e0 6683c820 0f22e0', 'cr4 |= PAE'],
  ['66b9800000c0 0f32 660d00010000 0f30', 'EFER |= LME'],
  ['0f0116f87c', 'lgdt [0x7cf8]'],
  ['0f20c0 660d01000080 0f22c0', 'cr0 |= PG | PE'],
  ['ea847c0800', 'jmp 0x08:0x7c84'],
  ['bae9000000 b04c ee', "mov edx, 0xe9; mov al, 'L'; out dx, al"],
  ['48c7c000000080 488d889c7c0000 ffe1', 'mov rax, 0xffffffff80000000; lea rcx, [rax + 0x7c9c]; jmp rcx'],
  ['b048 ee', "mov al, 'H'; out dx, al"],
  ['488da0007c0000', 'lea rsp, [rax + 0x7c00]'],
  // Gate 3 of the descriptor table at 0x5000 leads to the handler at 0xffffffff80007ce1.
  ['bb30500000 b9e17c0000', 'mov ebx, 0x5030; mov ecx, 0x7ce1'],
  ['66890b c743020800008e', 'mov [rbx], cx; mov dword [rbx + 2], 0x8e000008'],
  ['66c743060080 c74308ffffffff', 'mov word [rbx + 6], 0x8000; mov dword [rbx + 8], 0xffffffff'],
  ['0f011c25fe7c0000 cc', 'lidt [0x7cfe]; int3'],
  ['b042 ee', "mov al, 'B'; out dx, al"],
  ['baf4000000 b810000000 ef', 'mov edx, 0xf4; mov eax, 0x10; out dx, eax'],
  ['f4 ebfd', 'hlt; jmp $ - 1'],
  ['b049 ee 48cf', "mov al, 'I'; out dx, al; iretq"],
  ['6690', 'align'],
  ['0000000000000000 00000000009a2000', 'descriptors: null, 64-bit code'],
  ['0f00 e87c0000', 'gdtr: 15, 0x7ce8'],
  ['ff0f 00500080ffffffff', 'idtr: 0xfff, 0xffffffff80005000'],
];

const sectorBytes = 512;
/** QEMU's disks are whole tracks: a shorter one is not offered to the BIOS. */
const diskBytes = 1024 * 1024;

/** What the guest writes when it comes to its end. */
export const probeGuestTrace = 'RLHIB';

/** QEMU's exit status when the guest came to its end: `(0x10 << 1) | 1`. */
export const probeGuestStatus = 33;

/** @returns a raw disk that boots the guest */
export function probeGuestDisk(): Buffer {
  const disk = Buffer.alloc(diskBytes);
  Buffer.from(program.map(([machineCode]) => machineCode.replaceAll(' ', '')).join(''), 'hex').copy(disk);
  disk.writeUInt16LE(0xaa55, sectorBytes - 2);
  return disk;
}
