export interface KeepaliveOptions {
  /** After so many milliseconds of silence the daemon is asked whether it lives. */
  readonly intervalMs: number;
  /** So many questions may go unanswered before the connection counts as lost. */
  readonly count: number;
}

/** libvirt's own. */
export const defaultKeepalive: KeepaliveOptions = { intervalMs: 5000, count: 5 };

interface Peer {
  ping(): void;
  /** Whether an answer can be expected now. Silence counts only while it can. */
  isListening(): boolean;
  dead(): void;
}

/** Watches over a silent connection. Anything that comes in is a sign of life. */
export class Keepalive {
  readonly #timer: NodeJS.Timeout;
  #heard = true;
  #unanswered = 0;

  constructor(options: KeepaliveOptions, peer: Peer) {
    this.#timer = setInterval(() => {
      if (this.#heard || !peer.isListening()) {
        this.#heard = false;
        this.#unanswered = 0;
      } else if (this.#unanswered >= options.count) {
        this.stop();
        peer.dead();
      } else {
        this.#unanswered++;
        peer.ping();
      }
    }, options.intervalMs);
  }

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
