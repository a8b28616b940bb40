import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import { Connection, type RpcMethod } from './connection.ts';
import type { RocketmqCredentials } from './metadata.ts';

/** More proxies than a route may name at a time; the ones used longest ago are closed. */
const MAX_CONNECTIONS = 32;

export interface ProxiesOptions {
  tls: boolean;
  ca?: string;
  namespace: string;
  credentials?: RocketmqCredentials;
  clock: Clock;
}

/** Connections to the proxies of one cluster, one for each endpoint (host:port), made when first needed. */
export interface Proxies {
  unary(endpoint: string, method: RpcMethod, request: Buffer, deadlineMs: number): Promise<Buffer>;
  close(): void;
}

/** One client id for all connections: to the cluster we are one client. */
export function createProxies({ tls, ca, namespace, credentials, clock }: ProxiesOptions): Proxies {
  const connections = new Map<string, Connection>();
  const caller = {
    clientId: `mqferry@${hostname()}@${process.pid}@${randomUUID()}`,
    namespace,
    ...(credentials === undefined ? {} : { credentials }),
  };

  function connectionTo(endpoint: string): Connection {
    const options = { endpoint, tls, caller, clock, ...(ca === undefined ? {} : { ca }) };
    const connection = connections.get(endpoint) ?? new Connection(options);
    keepRecent(connections, endpoint, connection, MAX_CONNECTIONS)?.close();
    return connection;
  }

  return {
    unary: (endpoint, method, request, deadlineMs) =>
      connectionTo(endpoint).unary(method, request, deadlineMs),
    close: () => {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}
