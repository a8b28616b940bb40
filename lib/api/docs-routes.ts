import { z } from 'zod';
import type { Routes } from './route.ts';
import { NoQuery } from './schemas.ts';

export const DOCS_ROUTES = {
  'GET /openapi.json': {
    operationId: 'getOpenApi',
    summary: 'This document',
    params: z.strictObject({}),
    query: NoQuery,
    answers: {
      200: { description: 'OpenAPI 3.1 document', schema: z.looseObject({ openapi: z.literal('3.1.0') }) },
    },
    problems: [],
  },
} as const satisfies Routes;
