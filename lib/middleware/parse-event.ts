import type { MiddlewareObj } from '@middy/core';
import { checked } from '../api/checked.ts';
import type { ApiRequest, Route, Routes } from '../api/route.ts';
import { RequestError } from '../domain/errors/errors.ts';
import { ifMatchRequired } from '../domain/errors/request-errors.ts';
import type { ApiEvent, ApiResult } from './api-event.ts';
import { header } from './api-event.ts';
import { jsonBody } from './json-body.ts';

/** Longest Idempotency-Key, in characters. */
const MAX_KEY_LENGTH = 255;

const PATH = { code: 'PATH_INVALID', what: 'the path' };
const QUERY = { code: 'QUERY_INVALID', what: 'the query' };
const BODY = { code: 'BODY_INVALID', what: 'the body' };

/** Checks a request against its route and leaves what the route asks for in `event.request`. Unknown fields are refused. */
export function parseEvent(routes: Routes): MiddlewareObj<ApiEvent, ApiResult> {
  return {
    before: ({ event }) => {
      const route = (routes as Readonly<Record<string, Route>>)[event.routeKey];
      if (route === undefined) {
        throw new RequestError(404, 'ROUTE_NOT_FOUND', `there is no route ${event.routeKey}`);
      }
      event.request = requestOf(event, route);
    },
  };
}

function requestOf(event: ApiEvent, route: Route): ApiRequest<Route> {
  return {
    params: checked(route.params, event.pathParameters ?? {}, PATH),
    query: checked(route.query, event.queryStringParameters ?? {}, QUERY),
    body: bodyOf(event, route) as ApiRequest<Route>['body'],
    ifMatch: ifMatchOf(event, route) as ApiRequest<Route>['ifMatch'],
    idempotencyKey: route.idempotencyKey === true ? idempotencyKeyOf(event) : undefined,
    actor: actorOf(event),
  };
}

function bodyOf(event: ApiEvent, route: Route): unknown {
  if (route.body === undefined) return undefined;
  return checked(route.body, jsonBody(event), BODY);
}

/** `"3"`: the ETag of the last read. Weak or several tags cannot name one version. */
function ifMatchOf(event: ApiEvent, route: Route): number | undefined {
  if (route.ifMatch === undefined) return undefined;
  const text = header(event, 'if-match')?.trim();
  if (text === undefined || text === '') {
    if (route.ifMatch === 'required') throw ifMatchRequired();
    return undefined;
  }
  const version = /^(?:"(\d{1,15})"|(\d{1,15}))$/.exec(text);
  if (version === null) throw headerInvalid('If-Match', 'must be the ETag of your last read, such as "3"');
  return Number(version[1] ?? version[2]);
}

function idempotencyKeyOf(event: ApiEvent): string | undefined {
  const key = header(event, 'idempotency-key')?.trim();
  if (key === undefined) return undefined;
  if (key !== '' && key.length <= MAX_KEY_LENGTH && /^[\x20-\x7e]+$/.test(key)) return key;
  throw headerInvalid('Idempotency-Key', `must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters`);
}

function headerInvalid(field: string, message: string): RequestError {
  return new RequestError(400, 'HEADER_INVALID', `${field} ${message}`, {
    errors: [{ field, code: 'FORMAT_WRONG', message }],
  });
}

function actorOf({ requestContext }: ApiEvent): string | undefined {
  const { iam, jwt } = requestContext.authorizer ?? {};
  const subject = jwt?.claims?.sub;
  return iam?.userArn ?? (typeof subject === 'string' ? subject : undefined);
}
