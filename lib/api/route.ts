import type { z } from 'zod';

/** Method and path as in API Gateway's `routeKey`, for example `GET /tasks/{taskId}`. */
export type RouteKey = `${'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'} /${string}`;

/** What one answer of a route looks like. */
export interface AnswerContract {
  description: string;
  /** Absent: no body. */
  schema?: z.ZodType;
  /** True: the answer carries the version as its ETag. */
  etag?: boolean;
  /** Absent: JSON. */
  contentType?: string;
}

/** One route of the API: what it takes, what it answers. Handlers are typed by it and the OpenAPI document is made of it. */
export interface Route {
  operationId: string;
  summary: string;
  description?: string;
  params: z.ZodType;
  query: z.ZodType;
  /** Absent: the route reads no body. */
  body?: z.ZodType;
  /** Whether the route looks at `If-Match`. */
  ifMatch?: 'required' | 'optional';
  idempotencyKey?: boolean;
  answers: Readonly<Record<number, AnswerContract>>;
  /** Statuses of its problem documents, beside 400, 401, 403, 413, 415 and 500, which any route may give. */
  problems: readonly number[];
}
export type Routes = Readonly<Record<RouteKey, Route>>;

/** A request that keeps the route's rules. */
export interface ApiRequest<R extends Route> {
  params: z.output<R['params']>;
  query: z.output<R['query']>;
  body: R['body'] extends z.ZodType ? z.output<R['body']> : undefined;
  /** The version in `If-Match`; present where the route requires it. */
  ifMatch: R['ifMatch'] extends 'required' ? number : number | undefined;
  idempotencyKey: string | undefined;
  /** Who calls: the ARN of an IAM identity, or the subject of a token. */
  actor: string | undefined;
}

export interface ApiAnswer<Status extends PropertyKey = number> {
  status: Status;
  body?: unknown;
  /** Sent as ETag. */
  version?: number;
  /** Sent as Location. */
  location?: string;
  /** Of a body that is text, and is sent as it is; absent: the body is sent as JSON. */
  contentType?: string;
}

/** The work behind each route. */
export type Operations<R> = {
  [Key in keyof R]: R[Key] extends Route
    ? (request: ApiRequest<R[Key]>) => Promise<ApiAnswer<keyof R[Key]['answers']>>
    : never;
};
