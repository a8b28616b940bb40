import { setTimeout as delay } from 'node:timers/promises';
import { createBrokerClient } from '../lib/adapters/rocketmq-admin/broker-client.ts';
import { createRemotingAdmin } from '../lib/adapters/rocketmq-admin/remoting-admin.ts';
import { systemClock } from '../lib/adapters/system/clock.ts';
import { BridgeError } from '../lib/domain/errors/errors.ts';

/** Where to administrate, and as whom when ACL is on. */
export interface RocketmqAdmin {
  /** host:port. */
  nameServer: string;
  credentials?: { accessKey: string; secretKey: string };
}

export interface TopicSpec {
  topic: string;
  type?: 'NORMAL' | 'FIFO' | 'DELAY';
  queues?: number;
}

export interface GroupSpec {
  group: string;
  /** FIFO topics keep their order only for orderly groups. */
  orderly?: boolean;
  retryMaxTimes?: number;
}

const POLL_MS = 50;

/**
 * Resolves when a broker has registered with the name server. A broker says it is up before its first registration is
 * through, and repeats a failed one every 10 s.
 */
export async function untilBrokerRegistered(
  admin: RocketmqAdmin,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const client = createBrokerClient(admin);
  while (!(await hasBroker(client))) {
    if (Date.now() > deadline)
      throw new Error(`no broker registered with the name server ${admin.nameServer} within ${timeoutMs} ms`);
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

/** Creates a topic on every broker, and resolves when the name server knows its route. */
export async function ensureTopic(admin: RocketmqAdmin, spec: TopicSpec): Promise<void> {
  const { topic, type = 'NORMAL', queues = 4 } = spec;
  await createRemotingAdmin({ ...admin, clock: systemClock }).createTopic({ topic, type, queues });
}

/** Creates a consumer group on every broker, or changes it. */
export async function ensureGroup(admin: RocketmqAdmin, spec: GroupSpec): Promise<void> {
  const { group, orderly = false, retryMaxTimes = 16 } = spec;
  const remoting = createRemotingAdmin({ ...admin, clock: systemClock });
  await remoting.ensureGroup({ consumerGroup: group, isOrderly: orderly, retryMaxTimes });
}

async function hasBroker(client: ReturnType<typeof createBrokerClient>): Promise<boolean> {
  try {
    await client.masters('waiting for a broker');
    return true;
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'ADMIN_NO_BROKER') return false;
    throw error;
  }
}
