import type { Clock } from '../../ports/clock.ts';
import type { RocketmqCredentials } from './metadata.ts';
import { createProxies, type Proxies } from './proxies.ts';
import { createRoutes, type Routes } from './routes.ts';

export interface ClusterLinkOptions {
  /** host:port of the gRPC proxy or of the load balancer before it. */
  endpoint: string;
  tls: boolean;
  /** PEM; replaces Node's roots. */
  ca?: string;
  namespace?: string;
  credentials?: RocketmqCredentials;
  clock: Clock;
}

/** One cluster as it is reached: its proxies and its routes. */
export interface ClusterLink {
  readonly endpoint: string;
  readonly namespace: string;
  readonly proxies: Proxies;
  readonly routes: Routes;
  close(): Promise<void>;
}

export function createClusterLink(options: ClusterLinkOptions): ClusterLink {
  const { endpoint, clock, namespace = '' } = options;
  const proxies = createProxies({ ...options, namespace });
  const routes = createRoutes({
    endpoint,
    namespace,
    clock,
    query: (request, deadlineMs) => proxies.unary(endpoint, 'QueryRoute', request, { deadlineMs }),
  });
  return { endpoint, namespace, proxies, routes, close: async () => proxies.close() };
}
