import { describe, expect, it } from '@jest/globals';
import { CLUSTER_ROUTES } from '../../lib/api/cluster-routes.ts';
import { DEAD_LETTER_ROUTES } from '../../lib/api/dead-letter-routes.ts';
import { DOCS_ROUTES } from '../../lib/api/docs-routes.ts';
import { METRICS_ROUTES } from '../../lib/api/metrics-routes.ts';
import { openApiDocument } from '../../lib/api/openapi.ts';
import { PROBE_ROUTES } from '../../lib/api/probe-routes.ts';
import { TASK_ROUTES } from '../../lib/api/task-routes.ts';
import { compiledStack } from './compiled-stack.ts';

const stack = compiledStack('plain');
const deployed = stack.ofType('AWS::ApiGatewayV2::Route').map(([, { RouteKey, Target }]) => ({
  routeKey: String(RouteKey),
  // integrations/<HttpApiIntegrationApiTasks>
  owner: /HttpApiIntegration(\w+)>/.exec(String(Target))?.[1],
}));

describe('deployed routes', () => {
  it('are those of the OpenAPI document, and no other', () => {
    const { paths } = openApiDocument() as { paths: Record<string, Record<string, unknown>> };
    const documented = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(deployed.map(({ routeKey }) => routeKey).sort()).toEqual(documented.sort());
  });

  it.each([
    ['ApiTasks', TASK_ROUTES],
    ['ApiClusters', CLUSTER_ROUTES],
    ['ApiDeadLetters', DEAD_LETTER_ROUTES],
    ['ApiMetrics', METRICS_ROUTES],
    ['ApiDocs', DOCS_ROUTES],
    ['Probe', PROBE_ROUTES],
  ])('of %s lead to the function that knows them', (owner, routes) => {
    const owned = deployed.filter((route) => route.owner === owner).map(({ routeKey }) => routeKey);
    expect(owned.sort()).toEqual(Object.keys(routes).sort());
  });
});
