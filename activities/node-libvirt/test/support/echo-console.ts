import type { Duplex } from 'node:stream';
import { ConsoleFlag, type Domain } from '../../src/index.ts';
import { until } from './until.ts';

/** The console of an echo guest. */
export class EchoConsole {
  readonly #stream: Duplex;
  #heard = '';

  private constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (this.#heard += text));
  }

  static async open(domain: Domain): Promise<EchoConsole> {
    return new EchoConsole(await domain.openConsole({ flags: ConsoleFlag.FORCE }));
  }

  /** Waits until the guest prints `text`, and forgets all up to there. */
  async expect(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} on the console`, () => this.#heard.includes(text));
    this.#heard = this.#heard.slice(this.#heard.indexOf(text) + text.length);
  }

  /** Types `text` and waits for its echo. */
  async say(text: string): Promise<void> {
    this.#stream.write(text);
    await this.expect(text);
  }

  close(): void {
    this.#stream.destroy();
  }
}
