import type { CallOptions } from '../caller.ts';
import type { RpcError } from '../errors.ts';
import type { AnyProcedure } from '../protocol/procedures.ts';
import { watchPatience } from '../watch-patience.ts';

/** One call that the daemon has not answered yet. */
export interface PendingCall {
  readonly name: string;
  readonly procedure: AnyProcedure;
  /** Takes the body of a good reply. Throws when it is malformed. */
  accept(body: Buffer): void;
  reject(error: RpcError): void;
}

export interface NewCall<T> {
  readonly serial: number;
  readonly name: string;
  readonly procedure: AnyProcedure;
  readonly options: CallOptions;
  /** Makes the result of a reply's body. */
  readonly decode: (body: Buffer) => T;
  /** Disposes of a result that nobody waits for any more. */
  readonly discard?: ((result: T) => void) | undefined;
}

/**
 * The calls of one connection that are under way. A call that was given up stays here until its reply comes, since it takes up
 * room in the daemon's window all the same.
 */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  #awaited = 0;
  #lastSerial = 0;

  /** Calls the daemon has yet to answer. */
  get outstanding(): number {
    return this.#calls.size;
  }

  /** Those of them that somebody still waits for. */
  get awaited(): number {
    return this.#awaited;
  }

  nextSerial(): number {
    do this.#lastSerial = this.#lastSerial >= 0xffff_ffff ? 1 : this.#lastSerial + 1;
    while (this.#calls.has(this.#lastSerial));
    return this.#lastSerial;
  }

  /** Begins to wait for the reply to a call. */
  add<T>({ serial, name, procedure, options, decode, discard }: NewCall<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let waiting = true;
      this.#awaited++;
      const stopWaiting = () => {
        waiting = false;
        this.#awaited--;
        endWatch();
      };
      const giveUp = (error: RpcError) => {
        if (!waiting) return;
        stopWaiting();
        reject(error);
      };
      const endWatch = watchPatience({ options, what: `The call ${name}`, timedOut: `libvirt did not answer ${name}` }, giveUp);

      this.#calls.set(serial, {
        name,
        procedure,
        accept(body) {
          const result = decode(body);
          if (waiting) {
            stopWaiting();
            resolve(result);
          } else {
            discard?.(result);
          }
        },
        reject: giveUp,
      });
    });
  }

  get(serial: number): PendingCall | undefined {
    return this.#calls.get(serial);
  }

  delete(serial: number): void {
    this.#calls.delete(serial);
  }

  /** Ends all of them with the same error. */
  rejectAll(error: RpcError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
  }
}
