import { BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import { errorOfCall, errorOfStatus } from './errors.ts';
import {
  type AcceptedType,
  decodeQueryRoute,
  encodeQueryRoute,
  type RouteBroker,
  STATUS_OK,
} from './wire.ts';

/** How old a route may be: what a topic is, and where, changes under us. */
const ROUTE_TTL_MS = 30_000;
const MAX_ROUTES = 500;
const QUERY_TIMEOUT_MS = 3_000;

export interface TopicRoute {
  /** What the writable queues accept; where none is, the readable ones. */
  accepts: ReadonlySet<AcceptedType>;
  /** host:port of the proxies in front of the topic's writable masters, sorted, without repetition; none: not writable. */
  endpoints: readonly string[];
  /** The topic's readable masters, by name, each with the proxy to ask; none: not readable. */
  readers: readonly RouteBroker[];
}

export interface Routes {
  /** Throws a `BridgeError`: topic unknown, not allowed, cluster away, or no answer by `deadlineMs`. */
  routeOf(rocketmqTopic: string, deadlineMs: number): Promise<TopicRoute>;
  /** The cluster contradicted the route: ask again next time. */
  forget(rocketmqTopic: string): void;
}

export interface RoutesOptions {
  /** Sends the bytes of a QueryRouteRequest, answers those of the response. */
  query(request: Buffer, deadlineMs: number): Promise<Buffer>;
  /** host:port as the cluster is registered. */
  endpoint: string;
  namespace: string;
  clock: Clock;
}

interface CachedRoute {
  route: Promise<TopicRoute>;
  expiresAtMs: number;
}

/** Routes of topics, each asked at most every 30 s, once for all who wait for it. Failures are not kept. */
export function createRoutes({ query, endpoint, namespace, clock }: RoutesOptions): Routes {
  const cache = new Map<string, CachedRoute>();

  async function ask(rocketmqTopic: string): Promise<TopicRoute> {
    const request = encodeQueryRoute(rocketmqTopic, namespace, endpoint);
    const bytes = await query(request, clock.now() + QUERY_TIMEOUT_MS).catch((error: unknown) => {
      throw errorOfCall(error, 'query-route');
    });
    const { status, accepts, endpoints, readers } = decodeQueryRoute(bytes);
    if (status.code !== STATUS_OK) throw errorOfStatus(status.code, status.text, 'query-route');
    return { accepts, endpoints: reachable(endpoints), readers: reachableReaders(readers) };
  }

  function cached(rocketmqTopic: string): Promise<TopicRoute> {
    const now = clock.now();
    const known = cache.get(rocketmqTopic);
    if (known !== undefined && now < known.expiresAtMs) return known.route;
    const entry = { route: ask(rocketmqTopic), expiresAtMs: now + ROUTE_TTL_MS };
    keepRecent(cache, rocketmqTopic, entry, MAX_ROUTES);
    entry.route.catch(() => {
      if (cache.get(rocketmqTopic) === entry) cache.delete(rocketmqTopic);
    });
    return entry.route;
  }

  /** One proxy before everything: the registered endpoint is right, whatever address the proxy believes to have. */
  function reachable(endpoints: readonly string[]): readonly string[] {
    return endpoints.length === 1 ? [endpoint] : endpoints;
  }

  function reachableReaders(readers: readonly RouteBroker[]): readonly RouteBroker[] {
    const endpoints = new Set(readers.map((reader) => reader.endpoint));
    return endpoints.size === 1 ? readers.map((reader) => ({ ...reader, endpoint })) : readers;
  }

  return {
    routeOf: (rocketmqTopic, deadlineMs) => before(deadlineMs - clock.now(), cached(rocketmqTopic)),
    forget: (rocketmqTopic) => {
      cache.delete(rocketmqTopic);
    },
  };
}

/** The query is shared: whoever has less time stops waiting for it, and the others still get their answer. */
async function before(ms: number, route: Promise<TopicRoute>): Promise<TopicRoute> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      reject(
        new BrokerUnavailableError('querying the route: no answer before the deadline', {
          code: 'TARGET_TIMEOUT',
        }),
      );
    },
    Math.max(ms, 0),
  );
  try {
    return await Promise.race([route, late]);
  } finally {
    clearTimeout(timer);
  }
}
