import { createHmac, randomUUID } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';

/** What a cluster wants to see of us. Taken from the cluster's secret; never logged. */
export interface RocketmqCredentials {
  accessKey: string;
  secretKey: string;
  securityToken?: string;
}

export interface CallerIdentity {
  clientId: string;
  namespace?: string;
  credentials?: RocketmqCredentials;
}

/**
 * Headers of one call (https://github.com/apache/rocketmq-clients/blob/master/docs/transport.md). The signature covers
 * the date header only, so each call is signed anew.
 */
export function callMetadata(caller: CallerIdentity, nowMs: number): Metadata {
  const metadata = new Metadata();
  const dateTime = compactDateTime(nowMs);
  metadata.set('x-mq-protocol', 'v2');
  metadata.set('x-mq-client-id', caller.clientId);
  metadata.set('x-mq-date-time', dateTime);
  metadata.set('x-mq-request-id', randomUUID());
  // The proxy parses this into an enum of its own that knows no Node.js before 5.3; HTTP is what the official client says.
  metadata.set('x-mq-language', 'HTTP');
  metadata.set('x-mq-client-version', '5.0.0');
  if (caller.namespace !== undefined && caller.namespace !== '') {
    metadata.set('x-mq-namespace', caller.namespace);
  }
  if (caller.credentials !== undefined) sign(metadata, caller.credentials, dateTime);
  return metadata;
}

function sign(metadata: Metadata, credentials: RocketmqCredentials, dateTime: string): void {
  const signature = createHmac('sha1', credentials.secretKey).update(dateTime).digest('hex').toUpperCase();
  metadata.set(
    'authorization',
    `MQv2-HMAC-SHA1 Credential=${credentials.accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`,
  );
  if (credentials.securityToken !== undefined) {
    metadata.set('x-mq-session-token', credentials.securityToken);
  }
}

/** 20210309T195445Z */
function compactDateTime(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
