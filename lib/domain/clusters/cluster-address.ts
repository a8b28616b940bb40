import { BlockList, isIP } from 'node:net';
import type { ClusterInput } from './cluster.ts';

/**
 * Addresses at which no cluster is, and where something else may be that trusts whoever reaches it: this machine (the runtime
 * API of Lambda), link-local ones (metadata and credentials of EC2 and containers), none at all, multicast. Private ones
 * are not among them: brokers in a VPC have those.
 */
const FORBIDDEN: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  // Metadata and time of EC2 over IPv6.
  ['fd00:ec2::', 32, 'ipv6'],
  // NAT64 and 6to4 lead to IPv4 addresses, whichever.
  ['64:ff9b::', 96, 'ipv6'],
  ['2002::', 16, 'ipv6'],
];
/** Names of this machine and of metadata, whatever they resolve to. */
const FORBIDDEN_NAMES = /^(?:localhost|sandbox|instance-data|metadata)$|\.(?:localhost|localdomain)$/;
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'instance-data.ec2.internal',
  'metadata.google.internal',
]);
/** Resolvers read 2130706433, 0x7f.1 and 127.1 as IPv4 addresses too. */
const NUMBER_AT_ITS_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;

const forbidden = new BlockList();
for (const [network, prefix, family] of FORBIDDEN) forbidden.addSubnet(network, prefix, family);

/** Whether no cluster may be at this IP address. */
export function isForbiddenIp(address: string): boolean {
  const family = isIP(address);
  // An IPv4 address within IPv6 is looked at as what it is.
  return family === 0 || forbidden.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * What is wrong with a host as that of a cluster; undefined: nothing can be seen. Continues a sentence that begins with the
 * host. What a name resolves to is asked when a connection is made.
 */
export function hostFault(host: string): string | undefined {
  const bare = host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (isIP(bare) !== 0) return isForbiddenIp(bare) ? NO_CLUSTER : undefined;
  if (NUMBER_AT_ITS_END.test(bare)) return 'must be a name, or an IPv4 address of four numbers from 0 to 255';
  return FORBIDDEN_NAMES.test(bare) || METADATA_NAMES.has(bare) ? NO_CLUSTER : undefined;
}

const NO_CLUSTER =
  'must not lead to this machine or to metadata of its cloud, where no cluster is: give the address that others reach it by';

/** Fields of a cluster whose host no cluster can have. Quotes no address: a wrong one may hold what is secret. */
export function addressFaults(cluster: ClusterInput): { field: string; message: string }[] {
  return hostsOf(cluster).flatMap(([field, host]) => {
    const message = hostFault(host);
    return message === undefined ? [] : [{ field, message }];
  });
}

function hostsOf(cluster: ClusterInput): [field: string, host: string][] {
  switch (cluster.kind) {
    case 'aws-iot':
      return [];
    case 'mqtt':
      return [['url', hostOfUrl(cluster.url)]];
    case 'rocketmq':
      return [
        ['endpoint', hostOf(cluster.endpoint)],
        ...(cluster.nameServer === undefined
          ? []
          : [['nameServer', hostOf(cluster.nameServer)] as [string, string]]),
      ];
  }
}

/** As it is written: `URL` would already have read 0x7f.1 in a ws:// address as 127.0.0.1. */
function hostOfUrl(url: string): string {
  return /^[a-z]+:\/\/([^/:?#]*)/.exec(url)?.[1] ?? '';
}

/** The host in `host:port`, as clusters of RocketMQ name it. */
export function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':'));
}
