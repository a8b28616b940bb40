import middy from '@middy/core';
import type { ApiAnswer, Operations, Routes } from '../api/route.ts';
import { RequestError } from '../domain/errors/errors.ts';
import type { InvocationLogger } from '../ports/logger.ts';
import type { ApiEvent, ApiResult } from './api-event.ts';
import { logContext } from './log-context.ts';
import { parseEvent } from './parse-event.ts';
import { problemDetails } from './problem-details.ts';

/**
 * The handler of an HTTP function: each route's request is checked, its operation does the work, and whatever it throws
 * becomes a problem document.
 *
 * @example export const handler = createApi(CLUSTER_ROUTES, { 'GET /clusters': async ({ query }) => … }, { logger });
 */
export function createApi<const R extends Routes>(
  routes: R,
  operations: Operations<R>,
  { logger }: { logger: InvocationLogger },
) {
  // parse-event has checked the request against this very route: what the types cannot follow.
  const byRoute = operations as unknown as Readonly<
    Record<string, (request: ApiEvent['request']) => Promise<ApiAnswer>>
  >;
  return middy<ApiEvent, ApiResult>({ timeoutEarlyInMillis: 250, timeoutEarlyResponse: timedOut })
    .use(logContext(logger))
    .use(problemDetails(logger))
    .use(parseEvent(routes))
    .handler(async ({ routeKey, request }) => {
      const operation = byRoute[routeKey];
      if (operation === undefined) throw new Error(`no operation for ${routeKey}`);
      return resultOf(await operation(request));
    });
}

function timedOut(): never {
  throw new RequestError(504, 'TIMED_OUT', 'the request took too long: read again what has become of it');
}

function resultOf({ status, body, version, location, contentType }: ApiAnswer): ApiResult {
  return {
    statusCode: status,
    headers: {
      // What is true of a task changes by the second.
      'cache-control': 'no-store',
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      ...(version === undefined ? {} : { etag: `"${version}"` }),
      ...(location === undefined ? {} : { location }),
    },
    ...(body === undefined ? {} : { body: contentType === undefined ? JSON.stringify(body) : String(body) }),
  };
}
