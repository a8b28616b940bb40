import type { MiddlewareObj } from '@middy/core';
import type { InvocationLogger } from '../ports/logger.ts';
import type { ApiEvent, ApiResult } from './api-event.ts';

/** Every line of the invocation carries the ids of the request and its route; never its body or query. */
export function logContext(logger: Pick<InvocationLogger, 'setContext'>): MiddlewareObj<ApiEvent, ApiResult> {
  return {
    before: ({ event, context }) => {
      const { requestId } = event.requestContext;
      logger.setContext({ requestId, routeKey: event.routeKey, awsRequestId: context.awsRequestId });
    },
  };
}
