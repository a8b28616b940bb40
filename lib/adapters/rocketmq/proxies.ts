import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type CallOptions,
  Connection,
  type Duplex,
  type DuplexMethod,
  type ServerStreamMethod,
  type ServerStreamOptions,
  type UnaryMethod,
} from './connection.ts';
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
  unary(endpoint: string, method: UnaryMethod, request: Buffer, options: CallOptions): Promise<Buffer>;
  serverStream(
    endpoint: string,
    method: ServerStreamMethod,
    request: Buffer,
    options: ServerStreamOptions,
  ): Promise<void>;
  duplex(endpoint: string, method: DuplexMethod, clientId: string): Duplex;
  /** Gives up the connection to a proxy that is suspected to be dead. */
  renew(endpoint: string): void;
  close(): void;
}

/** A client id that no other process has. */
export function newClientId(): string {
  return `mqferry@${hostname()}@${process.pid}@${randomUUID()}`;
}

/** One client id for all connections, but where a call names another: to the cluster we are one client. */
export function createProxies({ tls, ca, namespace, credentials, clock }: ProxiesOptions): Proxies {
  const connections = new Map<string, Connection>();
  const caller = {
    clientId: newClientId(),
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
    unary: (endpoint, method, request, options) => connectionTo(endpoint).unary(method, request, options),
    serverStream: (endpoint, method, request, options) =>
      connectionTo(endpoint).serverStream(method, request, options),
    duplex: (endpoint, method, clientId) => connectionTo(endpoint).duplex(method, clientId),
    renew: (endpoint) => connections.get(endpoint)?.renew(),
    close: () => {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}
