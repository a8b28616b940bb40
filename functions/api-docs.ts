import { createLogger } from '../lib/adapters/system/logger.ts';
import { DOCS_ROUTES } from '../lib/api/docs-routes.ts';
import { openApiDocument } from '../lib/api/openapi.ts';
import { readEnvironment } from '../lib/config/environment.ts';
import { createApi } from '../lib/middleware/create-api.ts';

const { LOG_LEVEL } = readEnvironment(['LOG_LEVEL']);
const logger = createLogger({ serviceName: 'api-docs', logLevel: LOG_LEVEL });
const body = openApiDocument();

export const handler = createApi(
  DOCS_ROUTES,
  { 'GET /openapi.json': async () => ({ status: 200, body }) },
  { logger },
);
