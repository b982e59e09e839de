import type { Caller, CallOptions } from '../caller.ts';
import { MonitorCommandFlag } from '../protocol/domain-flags.ts';
import type { DomainReference } from '../protocol/references.ts';

/** What only QEMU domains have: the monitor, and the agent in the guest. */
export class DomainQemu {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /** Runs a command as a person would type it at the monitor (HMP), such as `info status`, and returns what it prints. */
  async humanCommand(command: string, options?: CallOptions): Promise<string> {
    const args = { domain: this.#domain, command, flags: MonitorCommandFlag.HMP };
    return (await this.#caller.call('qemuDomainMonitorCommand', args, options)).result;
  }

  /** Runs a QMP command, such as `{ execute: 'query-status' }`, and returns what QEMU answers: `{ return, id }`, or `{ error, id }`. */
  async monitorCommand(command: object, options?: CallOptions): Promise<unknown> {
    const args = { domain: this.#domain, command: JSON.stringify(command), flags: MonitorCommandFlag.DEFAULT };
    return JSON.parse((await this.#caller.call('qemuDomainMonitorCommand', args, options)).result);
  }

  /**
   * Runs a command of the guest agent and returns its answer.
   * @param timeoutSeconds -2 waits for ever, -1 for libvirt's default, 0 not at all
   */
  async agentCommand(command: object, { timeoutSeconds = -1, ...options }: CallOptions & { readonly timeoutSeconds?: number } = {}) {
    const args = { domain: this.#domain, command: JSON.stringify(command), timeoutSeconds, flags: 0 };
    const { result } = await this.#caller.call('qemuDomainAgentCommand', args, options);
    return result === null ? undefined : (JSON.parse(result) as unknown);
  }
}
