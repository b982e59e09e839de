/**
 * The smallest guest that answers: 57 bytes of real mode code in a boot sector. It prints READY on its first serial port and then
 * sends back every byte that it gets. Between bytes it halts until the next timer tick, so it costs the host next to nothing.
 */
const code = [
  0x31,
  0xc0, //              xor  ax, ax
  0x8e,
  0xd8, //              mov  ds, ax
  0x8e,
  0xd0, //              mov  ss, ax
  0xbc,
  0x00,
  0x7c, //        mov  sp, 0x7c00
  0xfb, //                    sti
  0xfc, //                    cld
  0xbe,
  0x39,
  0x7c, //        mov  si, greeting
  0xac, //             greet: lodsb
  0x84,
  0xc0, //              test al, al
  0x74,
  0x05, //              jz   echo
  0xe8,
  0x13,
  0x00, //        call put
  0xeb,
  0xf6, //              jmp  greet
  0xf4, //              echo: hlt
  0xba,
  0xfd,
  0x03, //  more: mov  dx, 0x3fd        ; line status
  0xec, //                    in   al, dx
  0xa8,
  0x01, //              test al, 1            ; a byte has come
  0x74,
  0xf7, //              jz   echo
  0xb2,
  0xf8, //              mov  dl, 0xf8         ; data
  0xec, //                    in   al, dx
  0xe8,
  0x02,
  0x00, //        call put
  0xeb,
  0xf0, //              jmp  more
  0x88,
  0xc4, //         put: mov  ah, al
  0xba,
  0xfd,
  0x03, //        mov  dx, 0x3fd
  0xec, //              wait: in   al, dx
  0xa8,
  0x20, //              test al, 0x20         ; room for a byte
  0x74,
  0xfb, //              jz   wait
  0xb2,
  0xf8, //              mov  dl, 0xf8
  0x88,
  0xe0, //              mov  al, ah
  0xee, //                    out  dx, al
  0xc3, //                    ret
];

export const greeting = 'READY\r\n';

/** The guest's disk. */
export function echoDisk(sizeBytes = 1_048_576): Buffer {
  const disk = Buffer.alloc(sizeBytes);
  Buffer.from(code).copy(disk);
  disk.write(`${greeting}\0`, code.length);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

interface GuestOptions {
  readonly name: string;
  readonly uuid?: string;
  /** Path of its disk, and the disk's format; without one it only idles in its firmware. */
  readonly disk?: string;
  readonly format?: 'raw' | 'qcow2';
  /** More devices, as XML. */
  readonly devices?: string;
}

/** A domain of 32 MiB under emulation. */
export function guestXml({ name, uuid, disk, format = 'raw', devices = '' }: GuestOptions): string {
  const drive = `<disk type='file' device='disk'>
    <driver name='qemu' type='${format}'/><source file='${disk}'/><target dev='vda' bus='virtio'/>
  </disk>`;
  return `<domain type='qemu'>
    <name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}
    <memory unit='MiB'>32</memory><vcpu>1</vcpu>
    <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
    <devices>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      ${disk === undefined ? '' : drive}
      <controller type='usb' model='none'/><serial type='pty'/><memballoon model='virtio'/>${devices}
    </devices>
  </domain>`;
}
