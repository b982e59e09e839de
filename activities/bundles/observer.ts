/** Whoever waits for something that takes long. */
export interface Observer {
  readonly signal: AbortSignal;
  /** Told now and then how many bytes have been worked on, of how many. */
  readonly onBytes: (done: number, total: number) => void;
}
