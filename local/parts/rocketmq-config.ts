import path from 'node:path';
import type { RocketmqPorts } from '../ports.ts';

export interface RocketmqSettings {
  home: string;
  ports: RocketmqPorts;
  acl: { username: string; password: string } | undefined;
  tls: { certificateFile: string; privateKeyFile: string } | undefined;
  /** More of `broker.conf`. */
  brokerSettings?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The one cluster and broker of the local stack. */
export const CLUSTER_NAME = 'DefaultCluster';

const AUTH = 'org.apache.rocketmq.auth';
const PROXY_AUTH = 'org.apache.rocketmq.proxy.auth';

export function nameServerConfig({ ports }: RocketmqSettings): string {
  return properties({ listenPort: ports.nameServer, bindAddress: '127.0.0.1' });
}

/**
 * `broker.conf`. RocketMQ 5.4 has no setting for the address on which the gRPC endpoint, the proxy's remoting listener and
 * replication listen: those three take all interfaces.
 */
export function brokerConfig({ home, ports, acl, brokerSettings }: RocketmqSettings): string {
  return properties({
    brokerClusterName: CLUSTER_NAME,
    brokerName: 'broker-a',
    brokerId: 0,
    brokerRole: 'ASYNC_MASTER',
    flushDiskType: 'ASYNC_FLUSH',
    bindAddress: '127.0.0.1',
    listenPort: ports.broker,
    haListenPort: ports.broker + 1,
    // What the routes tell clients.
    brokerIP1: '127.0.0.1',
    brokerIP2: '127.0.0.1',
    // Here too: without it the broker half of the process registers nowhere.
    namesrvAddr: `127.0.0.1:${ports.nameServer}`,
    // After a failed registration the next one is tried so many milliseconds later; no less is accepted.
    registerNameServerPeriod: 10_000,
    storePathRootDir: path.join(home, 'store'),
    storePathCommitLog: path.join(home, 'store', 'commitlog'),
    // 1 GB each by default.
    mappedFileSizeCommitLog: 64 * 1024 * 1024,
    mappedFileSizeConsumeQueue: 600_000,
    // Each time it compares 38 MB byte by byte, a quarter of a processor when it does so each second (the default). What a crash loses of the
    // wheel is read again from the timer's log; what fired in that time may fire once more.
    timerFlushIntervalMs: 10_000,
    // Writes are refused above these shares of the disk, which a full laptop passes.
    diskMaxUsedSpaceRatio: 95,
    autoCreateTopicEnable: false,
    autoCreateSubscriptionGroup: true,
    enablePropertyFilter: true,
    ...(acl === undefined ? {} : aclSettings(acl)),
    ...brokerSettings,
  });
}

/** `rmq-proxy.json`. */
export function proxyConfig({ ports, acl, tls }: RocketmqSettings): string {
  return JSON.stringify(
    {
      rocketMQClusterName: CLUSTER_NAME,
      namesrvAddr: `127.0.0.1:${ports.nameServer}`,
      grpcServerPort: ports.grpc,
      remotingListenPort: ports.proxyRemoting,
      enableBatchAck: true,
      ...(tls === undefined
        ? {}
        : { tlsTestModeEnable: false, tlsKeyPath: tls.privateKeyFile, tlsCertPath: tls.certificateFile }),
      ...(acl === undefined ? {} : proxyAclSettings(acl)),
    },
    null,
    2,
  );
}

/** Members of `rmq-proxy.json` by which the proxy asks who comes. */
export function proxyAclSettings(acl: {
  username: string;
  password: string;
}): Record<string, string | boolean> {
  return {
    authenticationEnabled: true,
    authenticationMetadataProvider: `${PROXY_AUTH}.ProxyAuthenticationMetadataProvider`,
    authorizationEnabled: true,
    authorizationMetadataProvider: `${PROXY_AUTH}.ProxyAuthorizationMetadataProvider`,
    ...credentials(acl),
  };
}

/** Lines of `broker.conf` by which the broker does. */
export function aclSettings(acl: { username: string; password: string }): Record<string, string | boolean> {
  return {
    authenticationEnabled: true,
    authenticationMetadataProvider: `${AUTH}.authentication.provider.LocalAuthenticationMetadataProvider`,
    authorizationEnabled: true,
    authorizationMetadataProvider: `${AUTH}.authorization.provider.LocalAuthorizationMetadataProvider`,
    ...credentials(acl),
  };
}

function credentials({ username, password }: { username: string; password: string }): Record<string, string> {
  return {
    initAuthenticationUser: JSON.stringify({ username, password }),
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey: username, secretKey: password }),
  };
}

function properties(values: Record<string, string | number | boolean>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
