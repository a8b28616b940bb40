import { z } from 'zod';
import { BridgeError } from '../../domain/errors/errors.ts';
import type { RocketmqCredentials } from '../rocketmq/metadata.ts';
import { errorOfResponse, foreignAnswer, noBroker } from './errors.ts';
import { type RemotingRequest, remotingCall } from './remoting-call.ts';
import { parseRemotingJson } from './remoting-json.ts';
import { REQUEST } from './request-codes.ts';

/** Broker id of a master. */
const MASTER = '0';
const Address = z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/);
const Brokers = z.record(z.string(), Address);
const ClusterInfo = z.object({
  brokerAddrTable: z.record(z.string(), z.object({ brokerAddrs: Brokers })),
  clusterAddrTable: z.record(z.string(), z.unknown()).default({}),
});
const Route = z.object({ brokerDatas: z.array(z.object({ brokerAddrs: Brokers })) });

/** The masters of a cluster, and the names that are no topics of a user although topics have them. */
export interface Masters {
  addresses: readonly string[];
  /** Names of clusters and brokers. */
  names: ReadonlySet<string>;
}

export interface BrokerClientOptions {
  /** host:port. */
  nameServer: string;
  credentials?: RocketmqCredentials | undefined;
  /** Asked once when the credentials were refused; undefined: there are no others. */
  renewCredentials?: (() => Promise<RocketmqCredentials | undefined>) | undefined;
  timeoutMs?: number | undefined;
}

/** Asks a name server and the masters that it names, and nobody else. Throws `BridgeError`. */
export interface BrokerClient {
  readonly nameServer: string;
  /** Body of the answer. @param doing - for the error: "listing topics" */
  ask(address: string, request: RemotingRequest, doing: string): Promise<Buffer>;
  /** Body of the answer as JSON of this form; undefined: there is no such topic. */
  read<T>(
    address: string,
    request: RemotingRequest,
    schema: z.ZodType<T>,
    doing: string,
  ): Promise<T | undefined>;
  /** Every master of the cluster, at least one. */
  masters(doing: string): Promise<Masters>;
  /** The masters that hold a topic; undefined: there is no such topic. */
  mastersOf(brokerTopic: string, doing: string): Promise<readonly string[] | undefined>;
}

export function createBrokerClient(options: BrokerClientOptions): BrokerClient {
  const { nameServer, renewCredentials, timeoutMs } = options;
  let { credentials } = options;
  let renewal: Promise<RocketmqCredentials | undefined> | undefined;

  async function attempt(address: string, request: RemotingRequest, doing: string): Promise<Buffer> {
    const response = await remotingCall(address, request, { credentials, timeoutMs });
    if (response.code !== 0) throw errorOfResponse(address, response, doing);
    return response.body;
  }

  const client: BrokerClient = {
    nameServer,
    async ask(address, request, doing) {
      try {
        return await attempt(address, request, doing);
      } catch (error) {
        if (!isCode(error, 'CREDENTIALS_REFUSED')) throw error;
        // One for all calls that are under way.
        renewal ??= renewCredentials?.();
        const renewed = await renewal;
        if (renewed === undefined) throw error;
        credentials = renewed;
        return attempt(address, request, doing);
      }
    },
    async read(address, request, schema, doing) {
      const body = await client.ask(address, request, doing).catch((error: unknown) => {
        if (isCode(error, 'TOPIC_NOT_FOUND')) return undefined;
        throw error;
      });
      return body === undefined ? undefined : parsed(body, schema, address);
    },
    async masters(doing) {
      const request = { code: REQUEST.GET_BROKER_CLUSTER_INFO };
      const info = parsed(await client.ask(nameServer, request, doing), ClusterInfo, nameServer);
      const brokers = Object.entries(info.brokerAddrTable);
      const addresses = brokers.flatMap(([, { brokerAddrs }]) => brokerAddrs[MASTER] ?? []);
      if (addresses.length === 0) throw noBroker(nameServer);
      return {
        addresses,
        names: new Set([...brokers.map(([name]) => name), ...Object.keys(info.clusterAddrTable)]),
      };
    },
    async mastersOf(brokerTopic, doing) {
      const request = { code: REQUEST.GET_ROUTE_INFO_BY_TOPIC, fields: { topic: brokerTopic } };
      const route = await client.read(nameServer, request, Route, doing);
      return route?.brokerDatas.flatMap(({ brokerAddrs }) => brokerAddrs[MASTER] ?? []);
    },
  };
  return client;
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof BridgeError && error.code === code;
}

function parsed<T>(body: Buffer, schema: z.ZodType<T>, address: string): T {
  try {
    return schema.parse(parseRemotingJson(body.toString()));
  } catch (cause) {
    throw foreignAnswer(address, cause);
  }
}
