import type { Context } from 'aws-lambda';
import type { ApiEvent, ApiResult } from '../../lib/middleware/api-event.ts';

export interface ApiCall {
  routeKey: string;
  params?: Record<string, string>;
  query?: Record<string, string>;
  /** Sent as JSON, a text as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Members of the event that a test wants otherwise. */
  event?: Partial<ApiEvent>;
}

export const USER_ARN = 'arn:aws:iam::123456789012:user/operator';

/** An event as an HTTP API sends it, payload format 2.0. */
export function apiEvent(call: ApiCall): ApiEvent {
  const body = typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  const [method = '', path = ''] = call.routeKey.split(' ');
  return {
    version: '2.0',
    routeKey: call.routeKey,
    rawPath: path,
    rawQueryString: '',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers },
    isBase64Encoded: false,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.1', userAgent: 'test' },
      requestId: 'request-1',
      routeKey: call.routeKey,
      stage: '$default',
      time: '01/Jan/2027:00:00:00 +0000',
      timeEpoch: 1_798_761_600_000,
      authorizer: { iam: { userArn: USER_ARN } },
    },
    ...(call.params === undefined ? {} : { pathParameters: call.params }),
    ...(call.query === undefined ? {} : { queryStringParameters: call.query }),
    ...(body === undefined ? {} : { body }),
    ...call.event,
  } as ApiEvent;
}

export interface ApiAnswer {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  body: any;
}

/** Hands a call to a handler as Lambda would. */
export async function invokeApi(
  handler: (event: ApiEvent, context: Context) => Promise<ApiResult>,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { statusCode, headers, body } = await handler(apiEvent(call), {
    awsRequestId: 'invocation-1',
    getRemainingTimeInMillis: () => 15_000,
  } as Context);
  return {
    status: statusCode ?? 0,
    headers: (headers ?? {}) as Record<string, string>,
    body: body === undefined ? undefined : JSON.parse(body),
  };
}
