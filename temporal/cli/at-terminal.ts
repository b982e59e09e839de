import { Transform, type Readable } from 'node:stream';

/** Where a person types; what is no terminal can be read all the same. */
export interface Terminal extends Readable {
  readonly isTTY?: boolean;
  readonly setRawMode?: (raw: boolean) => unknown;
}

/** Ctrl-], as of telnet and virsh. */
const leaveKey = 0x1d;

/** Hands on what a person types, key by key, until the key that leaves is pressed or the work is done. */
export async function atTerminal(terminal: Terminal, work: (typed: Readable) => Promise<void>): Promise<void> {
  const setRaw = (raw: boolean): unknown => terminal.isTTY && terminal.setRawMode?.(raw);
  const typed = untilLeft();
  setRaw(true);
  try {
    await work(terminal.pipe(typed));
  } finally {
    setRaw(false);
    terminal.destroy();
    typed.destroy();
  }
}

/** Passes keys on, and ends with the one that leaves. */
function untilLeft(): Transform {
  let left = false;
  return new Transform({
    transform(keys: Buffer, _encoding, done) {
      const at = left ? 0 : keys.indexOf(leaveKey);
      if (at > 0) this.push(keys.subarray(0, at));
      if (at === -1) this.push(keys);
      else if (!left) this.push(null);
      left ||= at !== -1;
      done();
    },
  });
}
