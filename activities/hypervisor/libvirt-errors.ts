import { LibvirtError, RpcError } from 'node-libvirt';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { diskReadOnly } from '../run-tool.ts';

/** libvirt's answers that are about the host's resources, not about what was asked. */
function refusalOf(error: LibvirtError): CloudletError {
  const facts = { libvirt: { code: error.code, domain: error.domain, message: error.message } };
  if (/Could not set up host forwarding rule/i.test(error.message)) {
    return new CloudletError('hypervisor-unavailable', 'A host port of the guest was taken at the last moment; trying another.', facts, {
      cause: error,
    });
  }
  // The name is that of an instance: what still has it is the guest of a former boot, about to go.
  if (/already exists with uuid|is already active/i.test(error.message)) {
    return new CloudletError('hypervisor-unavailable', 'The former guest of this instance has not ended yet; trying again.', facts, {
      cause: error,
    });
  }
  if (/No space left on device/i.test(error.message)) {
    return new CloudletError(
      'capacity-exhausted',
      'The disk of this host is full. Free some space and ask again.',
      { ...facts, resource: 'disk' },
      { cause: error },
    );
  }
  if (/Read-only file system/i.test(error.message)) return diskReadOnly(error.message, error);
  if (/cannot set up guest memory|Cannot allocate memory/i.test(error.message)) {
    return new CloudletError(
      'capacity-exhausted',
      'The host has not enough free memory for the guest.',
      { ...facts, resource: 'memory' },
      { cause: error },
    );
  }
  return new CloudletError('hypervisor-refused', `libvirt refused: ${error.message}`, facts, { cause: error });
}

/** What libvirt or the way to it says, in the words and codes of a cloudlet; other errors as they are. */
export function asCloudletError(error: unknown): unknown {
  if (error instanceof LibvirtError) {
    return error.retryable
      ? new CloudletError('hypervisor-unavailable', `libvirt is busy: ${error.message}`, {}, { cause: error })
      : refusalOf(error);
  }
  if (error instanceof RpcError) {
    return new CloudletError(
      'hypervisor-unavailable',
      `The hypervisor does not answer: ${error.message}`,
      { retryAfterSeconds: 5 },
      { cause: error },
    );
  }
  return error;
}
