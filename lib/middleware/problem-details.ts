import type { MiddlewareObj } from '@middy/core';
import { PROBLEM_CONTENT_TYPE, problemOf } from '../api/problem.ts';
import { RequestError } from '../domain/errors/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { ApiEvent, ApiResult } from './api-event.ts';

/**
 * Turns what a request met into a problem document. What nobody foresaw is logged once, here, and answered without any
 * detail of it.
 */
export function problemDetails(logger: Pick<Logger, 'error' | 'warn'>): MiddlewareObj<ApiEvent, ApiResult> {
  return {
    onError: (request) => {
      const { error } = request;
      const { requestId } = request.event.requestContext;
      const refusal = error instanceof RequestError ? error : unexpected(error);
      if (refusal.status === 500) logger.error('request failed', { error });
      else if (refusal.status > 500) logger.warn('request could not be served', { code: refusal.code });
      request.response = {
        statusCode: refusal.status,
        headers: {
          'content-type': PROBLEM_CONTENT_TYPE,
          'cache-control': 'no-store',
          ...(refusal.status === 503 ? { 'retry-after': '1' } : {}),
        },
        body: JSON.stringify(problemOf(refusal, requestId)),
      };
    },
  };
}

function unexpected(cause: unknown): RequestError {
  const sentence = 'something failed that should not have; the request id leads to it in the logs';
  return new RequestError(500, 'INTERNAL', sentence, { cause });
}
