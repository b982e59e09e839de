import type { FastifyError, FastifyRequest } from 'fastify';
import { asStoreError } from '../../activities/store/store.ts';
import { asCloudletError } from '../../temporal/client/service-vm-starter.ts';
import { CloudletError, type ErrorCode, type InputError } from '../../workflows/contract/errors.ts';

/** Fastify's own errors in our words. */
const fastifyCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload-too-large', 'The body is larger than this request may have.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid-input', 'The body is not JSON, or has a key like __proto__ that no request has.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid-input', 'Content-Length and the body do not agree.'],
  FST_ERR_BAD_URL: ['invalid-input', 'The path is not valid: a % must begin the code of a UTF-8 character.'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid-input', 'The path is not valid: a part of it is longer than any name here.'],
};

/** Any error as one of ours. What nobody expected is `internal`: its details are for the log alone. */
export function toApiError(error: unknown): CloudletError {
  if (error instanceof CloudletError) return error;
  const { code, validation, validationContext, statusCode } = error as Partial<FastifyError>;
  if (validation) {
    const errors: InputError[] = validation.map(({ instancePath, message = 'is not valid' }) => ({
      pointer: `/${validationContext}${instancePath}`,
      message,
    }));
    return new CloudletError(
      'invalid-input',
      `The request is not valid: ${errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      {
        errors,
      },
    );
  }
  const known = code === undefined ? undefined : fastifyCodes[code];
  if (known) return new CloudletError(...known);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new CloudletError('invalid-input', (error as Error).message);
  const storeError = asStoreError(error);
  return storeError instanceof CloudletError ? storeError : asCloudletError(error);
}

/** Logs what went wrong here; what the caller did wrong is the caller's to know. */
export function logError(request: FastifyRequest, error: unknown, answer: CloudletError): void {
  if (answer.code === 'internal') request.log.error({ error }, 'A request failed unexpectedly');
  else if (answer.kind.httpStatus >= 500) request.log.warn({ code: answer.code, detail: answer.message }, 'A request could not be served');
}
