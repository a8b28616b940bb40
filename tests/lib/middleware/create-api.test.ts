import { describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import type { ApiRequest, Route, Routes } from '../../../lib/api/route.ts';
import { RequestError } from '../../../lib/domain/errors/errors.ts';
import { createApi } from '../../../lib/middleware/create-api.ts';
import type { InvocationLogger } from '../../../lib/ports/logger.ts';
import type { ApiCall } from '../../helpers/api-event.ts';
import { invokeApi, USER_ARN } from '../../helpers/api-event.ts';

const base = {
  operationId: 'x',
  summary: 'x',
  params: z.strictObject({}),
  query: z.strictObject({}),
  answers: { 200: { description: 'x' }, 204: { description: 'x' } },
  problems: [],
};
const ROUTES = {
  'PUT /things/{id}': {
    ...base,
    params: z.strictObject({ id: z.string().max(5) }),
    query: z.strictObject({ limit: z.coerce.number().max(10).default(3) }),
    body: z.strictObject({ size: z.int(), note: z.string().optional() }),
    ifMatch: 'required',
    idempotencyKey: true,
  },
  'GET /things': { ...base, ifMatch: 'optional' },
  'POST /things/start': { ...base, body: z.strictObject({}).optional() },
} as const satisfies Routes;

function setUp(work: (request: ApiRequest<Route>) => Promise<unknown> = async (request) => request) {
  const logger = {
    debug: jest.fn(),
    info: jest.fn(),
    warn: jest.fn(),
    error: jest.fn<InvocationLogger['error']>(),
    setContext: jest.fn(),
  };
  const operation = async (request: ApiRequest<Route>) => {
    const body = await work(request);
    return { status: 200 as const, body, ...(typeof body === 'string' ? { contentType: 'text/plain' } : {}) };
  };
  const handler = createApi(
    ROUTES,
    {
      'PUT /things/{id}': operation as never,
      'GET /things': operation as never,
      'POST /things/start': operation as never,
    },
    { logger },
  );
  return { logger, call: (call: ApiCall) => invokeApi(handler as never, call) };
}

const put: ApiCall = {
  routeKey: 'PUT /things/{id}',
  params: { id: 'a' },
  body: { size: 1 },
  headers: { 'if-match': '"7"' },
};

describe('createApi', () => {
  it('hands a checked request to the operation of its route', async () => {
    const { call } = setUp();
    const { status, headers, body } = await call({
      ...put,
      headers: { 'if-match': '"7"', 'idempotency-key': 'k' },
    });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(body).toEqual({
      params: { id: 'a' },
      query: { limit: 3 },
      body: { size: 1 },
      ifMatch: 7,
      idempotencyKey: 'k',
      actor: USER_ARN,
    });
  });

  it('answers text as it is', async () => {
    const { call } = setUp(async () => '"quoted"');
    const { headers, body } = await call({ routeKey: 'GET /things' });
    // What is no JSON could not be read by this test’s caller.
    expect([headers['content-type'], body]).toEqual(['text/plain', 'quoted']);
  });

  it('reads a base64 body, odd spellings of headers, and any JSON media type', async () => {
    const { call } = setUp();
    const { body } = await call({
      ...put,
      body: Buffer.from('{"size":2,"note":"ü"}').toString('base64'),
      headers: { 'If-Match': '7', 'Content-Type': 'application/merge-patch+json; charset=utf-8' },
      event: { isBase64Encoded: true },
    });
    expect(body).toMatchObject({ body: { size: 2, note: 'ü' }, ifMatch: 7 });
  });

  it('knows the subject of a token as the actor, and works without one', async () => {
    const { call } = setUp();
    const context = (authorizer: unknown) =>
      ({ requestContext: { requestId: 'r', authorizer } }) as ApiCall['event'] & object;
    const jwt = await call({ ...put, event: context({ jwt: { claims: { sub: 'alice' } } }) });
    expect(jwt.body.actor).toBe('alice');
    const none = await call({ ...put, event: context(undefined) });
    expect(none.body).not.toHaveProperty('actor');
  });

  it('takes a request without a body where the route may do without', async () => {
    const { call } = setUp();
    expect(await call({ routeKey: 'POST /things/start' })).toMatchObject({ status: 200 });
    expect(await call({ routeKey: 'POST /things/start', body: {} })).toMatchObject({ status: 200 });
    const refused = await call({ routeKey: 'POST /things/start', body: { now: true } });
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'now', code: 'UNKNOWN_FIELD' }] },
    });
  });

  it.each<[string, Partial<ApiCall>, number, string, string | undefined]>([
    ['a missing body', { body: undefined }, 400, 'BODY_INVALID', ''],
    ['a broken body', { body: '{"size":' }, 400, 'JSON_INVALID', ''],
    ['an unknown field', { body: { size: 1, sizes: 2 } }, 400, 'BODY_INVALID', 'sizes'],
    ['an unknown parameter', { query: { limi: '1' } }, 400, 'QUERY_INVALID', 'limi'],
    ['a parameter out of range', { query: { limit: '11' } }, 400, 'QUERY_INVALID', 'limit'],
    ['a bad path', { params: { id: 'toolong' } }, 400, 'PATH_INVALID', 'id'],
    ['no If-Match', { headers: {} }, 428, 'IF_MATCH_REQUIRED', 'If-Match'],
    ['any version', { headers: { 'if-match': '*' } }, 400, 'HEADER_INVALID', 'If-Match'],
    ['a weak tag', { headers: { 'if-match': 'W/"7"' } }, 400, 'HEADER_INVALID', 'If-Match'],
    [
      'an endless key',
      { headers: { 'if-match': '7', 'idempotency-key': 'k'.repeat(256) } },
      400,
      'HEADER_INVALID',
      'Idempotency-Key',
    ],
    [
      'another media type',
      { headers: { 'content-type': 'text/xml' } },
      415,
      'MEDIA_TYPE_UNSUPPORTED',
      undefined,
    ],
    ['a body of more than 1 MiB', { body: ' '.repeat(1024 * 1024 + 1) }, 413, 'BODY_TOO_LARGE', undefined],
    ['a route that is not there', { routeKey: 'GET /nothing' }, 404, 'ROUTE_NOT_FOUND', undefined],
  ])('refuses %s', async (_, change, status, code, field) => {
    const { call, logger } = setUp();
    const answer = await call({ ...put, ...change });
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: { status, code },
    });
    expect(answer.body.errors).toEqual(field === undefined ? [] : [expect.objectContaining({ field })]);
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('refuses a body that is not UTF-8', async () => {
    const { call } = setUp();
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64');
    expect(await call({ ...put, body, event: { isBase64Encoded: true } })).toMatchObject({
      status: 400,
      body: { code: 'JSON_INVALID' },
    });
  });

  it('answers what an operation refuses as a problem document with its members', async () => {
    const { call, logger } = setUp(async () => {
      throw new RequestError(409, 'TASK_RUNNING', 'pause it first', { extensions: { desired: 'running' } });
    });
    expect((await call(put)).body).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'pause it first',
      instance: 'request-1',
      code: 'TASK_RUNNING',
      errors: [],
      desired: 'running',
    });
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('logs what nobody foresaw once, and answers no detail of it', async () => {
    const failure = new Error('the table is on fire');
    const { call, logger } = setUp(async () => {
      throw failure;
    });
    const answer = await call(put);
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL', instance: 'request-1' } });
    expect(JSON.stringify(answer)).not.toContain('fire');
    expect(logger.error.mock.calls).toEqual([['request failed', { error: failure }]]);
  });

  it('tells when to come again where the store is busy', async () => {
    const { call, logger } = setUp(async () => {
      throw new RequestError(503, 'STORE_BUSY', 'repeat the request');
    });
    expect(await call(put)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(logger.error).not.toHaveBeenCalled();
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  it('puts the ids of the request, and nothing else of it, into every log line', async () => {
    const { call, logger } = setUp();
    await call(put);
    expect(logger.setContext.mock.calls).toEqual([
      [{ requestId: 'request-1', routeKey: 'PUT /things/{id}', awsRequestId: 'invocation-1' }],
    ]);
  });

  it('answers before Lambda would end it', async () => {
    const { logger } = setUp();
    const handler = createApi(
      { 'GET /things': ROUTES['GET /things'] },
      { 'GET /things': () => new Promise<never>(() => undefined) },
      { logger },
    );
    const result = await handler(
      { routeKey: 'GET /things', headers: {}, requestContext: { requestId: 'r' } } as never,
      { awsRequestId: 'i', getRemainingTimeInMillis: () => 251 } as never,
    );
    expect(result).toMatchObject({ statusCode: 504 });
  });
});
