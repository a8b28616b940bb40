import type { APIGatewayProxyEventV2WithRequestContext, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ApiRequest, Route } from '../api/route.ts';

interface AuthorizedContext {
  requestId: string;
  authorizer?: {
    iam?: { userArn?: string | null } | null;
    jwt?: { claims?: Record<string, unknown> } | null;
  };
}

/** What an HTTP API hands to a function (payload format 2.0). */
export type ApiEvent = Omit<APIGatewayProxyEventV2WithRequestContext<AuthorizedContext>, 'headers'> & {
  headers: Record<string, string | undefined>;
  /** Put here by parse-event. */
  request?: ApiRequest<Route>;
};

export type ApiResult = APIGatewayProxyStructuredResultV2;

/** A header by its name in lower case, as payload format 2.0 spells them; an emulator may not. */
export function header(event: Pick<ApiEvent, 'headers'>, name: string): string | undefined {
  const direct = event.headers[name];
  if (direct !== undefined) return direct;
  const found = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name);
  return found?.[1];
}
