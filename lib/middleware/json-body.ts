import { RequestError } from '../domain/errors/errors.ts';
import type { ApiEvent } from './api-event.ts';
import { header } from './api-event.ts';

/** Largest body, in bytes: far above the largest definition of a task. */
export const MAX_BODY_BYTES = 1024 * 1024;

const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * The body as a JSON value; undefined when there is none. Throws `RequestError`: `BODY_TOO_LARGE` 413,
 * `MEDIA_TYPE_UNSUPPORTED` 415, `JSON_INVALID` 400. No error quotes the body.
 */
export function jsonBody(event: Pick<ApiEvent, 'headers' | 'body' | 'isBase64Encoded'>): unknown {
  if (event.body === undefined || event.body === '') return undefined;
  const bytes = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.byteLength > MAX_BODY_BYTES) {
    throw new RequestError(413, 'BODY_TOO_LARGE', `the body must be at most ${MAX_BODY_BYTES} bytes`, {
      extensions: { maxBytes: MAX_BODY_BYTES },
    });
  }
  const mediaType = header(event, 'content-type');
  if (mediaType !== undefined && !JSON_MEDIA_TYPE.test(mediaType)) {
    throw new RequestError(415, 'MEDIA_TYPE_UNSUPPORTED', 'the body must be sent as application/json');
  }
  return parsed(bytes);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const message = 'must be JSON in UTF-8';
    throw new RequestError(400, 'JSON_INVALID', `the body ${message}`, {
      errors: [{ field: '', code: 'JSON_INVALID', message }],
    });
  }
}
