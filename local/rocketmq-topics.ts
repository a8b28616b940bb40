import { setTimeout as delay } from 'node:timers/promises';
import { type RemotingCredentials, type RemotingRequest, remotingCall } from './rocketmq-remoting.ts';

/** Where to administrate, and as whom when ACL is on. */
export interface RocketmqAdmin {
  /** host:port. */
  nameServer: string;
  credentials?: RemotingCredentials;
}

export interface TopicSpec {
  topic: string;
  type?: 'NORMAL' | 'FIFO' | 'DELAY';
  /** Read and write queues, always as many of both: clients fail on a difference. */
  queues?: number;
}

export interface GroupSpec {
  group: string;
  /** FIFO topics keep their order only for orderly groups. */
  orderly?: boolean;
  retryMaxTimes?: number;
}

/** `RequestCode`s. */
const UPDATE_AND_CREATE_TOPIC = 17;
const GET_ROUTE_INFO_BY_TOPIC = 105;
const GET_BROKER_CLUSTER_INFO = 106;
const UPDATE_AND_CREATE_SUBSCRIPTION_GROUP = 200;
const DELETE_TOPIC_IN_BROKER = 215;
const DELETE_TOPIC_IN_NAME_SERVER = 216;

const ROUTE_TIMEOUT_MS = 10_000;
const ROUTE_POLL_MS = 50;

/**
 * Resolves when a broker has registered with the name server. A broker says it is up before its first registration is
 * through, and repeats a failed one every 10 s.
 */
export async function untilBrokerRegistered(
  admin: RocketmqAdmin,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while ((await brokerAddresses(admin)).length === 0) {
    if (Date.now() > deadline)
      throw new Error(`no broker registered with the name server ${admin.nameServer} within ${timeoutMs} ms`);
    await delay(ROUTE_POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

/** Creates a topic on every broker, or changes it, and resolves when the name server knows its route. */
export async function ensureTopic(admin: RocketmqAdmin, spec: TopicSpec): Promise<void> {
  const queues = `${spec.queues ?? 4}`;
  await onEachBroker(admin, {
    code: UPDATE_AND_CREATE_TOPIC,
    fields: {
      topic: spec.topic,
      defaultTopic: 'TBW102',
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      attributes: `+message.type=${spec.type ?? 'NORMAL'}`,
    },
  });
  // Before anybody asks the proxy for the topic: it remembers for 20 s that there was none.
  const deadline = Date.now() + ROUTE_TIMEOUT_MS;
  for (;;) {
    const route = await remotingCall(
      admin.nameServer,
      { code: GET_ROUTE_INFO_BY_TOPIC, fields: { topic: spec.topic } },
      admin.credentials,
    );
    if (route.code === 0) return;
    if (Date.now() > deadline)
      throw new Error(`the name server has no route to topic ${spec.topic}: ${route.remark}`);
    await delay(ROUTE_POLL_MS);
  }
}

/** Deletes a topic from brokers and name server; one that is not there is no error. */
export async function deleteTopic(admin: RocketmqAdmin, topic: string): Promise<void> {
  await onEachBroker(admin, { code: DELETE_TOPIC_IN_BROKER, fields: { topic } });
  await expectDone(admin.nameServer, { code: DELETE_TOPIC_IN_NAME_SERVER, fields: { topic } }, admin);
}

/** Creates a consumer group on every broker, or changes it. */
export async function ensureGroup(admin: RocketmqAdmin, spec: GroupSpec): Promise<void> {
  await onEachBroker(admin, {
    code: UPDATE_AND_CREATE_SUBSCRIPTION_GROUP,
    body: Buffer.from(
      JSON.stringify({
        groupName: spec.group,
        consumeEnable: true,
        consumeBroadcastEnable: true,
        consumeFromMinEnable: true,
        consumeMessageOrderly: spec.orderly ?? false,
        retryQueueNums: 1,
        retryMaxTimes: spec.retryMaxTimes ?? 16,
      }),
    ),
  });
}

async function onEachBroker(admin: RocketmqAdmin, request: RemotingRequest): Promise<void> {
  const addresses = await brokerAddresses(admin);
  if (addresses.length === 0)
    throw new Error(`no broker has registered with the name server ${admin.nameServer}`);
  for (const address of addresses) await expectDone(address, request, admin);
}

async function expectDone(
  address: string,
  request: RemotingRequest,
  { credentials }: RocketmqAdmin,
): Promise<void> {
  const { code, remark } = await remotingCall(address, request, credentials);
  if (code !== 0)
    throw new Error(`RocketMQ at ${address} refused request ${request.code} with ${code}: ${remark}`);
}

/** Addresses of all masters. */
async function brokerAddresses({ nameServer, credentials }: RocketmqAdmin): Promise<string[]> {
  const { code, remark, body } = await remotingCall(
    nameServer,
    { code: GET_BROKER_CLUSTER_INFO },
    credentials,
  );
  if (code !== 0) throw new Error(`the name server ${nameServer} does not tell its brokers: ${remark}`);
  // Its JSON has broker ids as bare numbers for keys.
  const text = body.toString().replaceAll(/([{,])(\d+):/g, '$1"$2":');
  const { brokerAddrTable } = JSON.parse(text) as {
    brokerAddrTable: Record<string, { brokerAddrs: Record<string, string> }>;
  };
  return Object.values(brokerAddrTable).flatMap(({ brokerAddrs }) => brokerAddrs['0'] ?? []);
}
