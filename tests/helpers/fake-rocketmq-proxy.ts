import { type Metadata, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';

type WireMessage = InstanceType<typeof definition.Message>;
type TopicType = keyof typeof definition.MessageType;

/** What the proxy answers: a status, perhaps one for each entry; or nothing, ever. */
export type Answer = { code: number; text?: string; entries?: readonly number[] } | 'silence';

export interface FakeTopic {
  types: readonly TopicType[];
  /** Default: this proxy. */
  endpoints?: readonly string[];
  permission?: keyof typeof definition.Permission;
}

export interface FakeProxyScript {
  topics: Record<string, FakeTopic>;
  route?: (topic: string, metadata: Metadata) => Answer | undefined;
  send?: (messages: readonly WireMessage[], metadata: Metadata) => Answer | undefined;
}

export interface FakeProxy {
  endpoint: string;
  /** May be changed at any time. */
  script: FakeProxyScript;
  readonly routeQueries: readonly string[];
  /** Messages of each SendMessageRequest, in order of arrival. */
  readonly requests: readonly (readonly WireMessage[])[];
  readonly headers: readonly Metadata[];
  /** How many connections were made. */
  readonly peers: ReadonlySet<string>;
  /** Cuts every connection, and takes no new one. */
  stop(): void;
}

const OK = { code: 20_000, text: 'OK' };

/**
 * A gRPC proxy that says what a test wants it to: for answers that a healthy RocketMQ does not give on demand
 * (a throttle, a cluster without batches, silence). Speaks the real protocol over a real connection.
 */
export async function startFakeProxy(
  script: FakeProxyScript,
  /** Adds more services, as those of fake-rocketmq-pop.ts. */
  extend: (server: Server) => void = () => {},
): Promise<FakeProxy> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const routeQueries: string[] = [];
  const requests: (readonly WireMessage[])[] = [];
  const headers: Metadata[] = [];
  const peers = new Set<string>();
  const fake = { script };
  let endpoint = '';

  server.addService(SERVICE, {
    queryRoute: (call: Call<RouteRequest>, callback: Callback<RouteResponse>) => {
      const topic = call.request.getTopic()?.getName() ?? '';
      routeQueries.push(topic);
      headers.push(call.metadata);
      peers.add(call.getPeer());
      const known = fake.script.topics[topic];
      const missing = known === undefined ? { code: 40_402, text: 'No topic route info' } : OK;
      const answer = fake.script.route?.(topic, call.metadata) ?? missing;
      if (answer === 'silence') return;
      const response = new rpc.QueryRouteResponse().setStatus(statusOf(answer));
      if (known !== undefined) response.setMessageQueuesList(queuesOf(known, endpoint));
      callback(null, response);
    },
    sendMessage: (call: Call<SendRequest>, callback: Callback<SendResponse>) => {
      const messages = call.request.getMessagesList();
      requests.push(messages);
      headers.push(call.metadata);
      peers.add(call.getPeer());
      const answer = fake.script.send?.(messages, call.metadata) ?? OK;
      if (answer === 'silence') return;
      const entries = ('entries' in answer ? answer.entries : undefined) ?? [answer.code];
      const results = entries.map((code) => new rpc.SendResultEntry().setStatus(statusOf({ code })));
      callback(null, new rpc.SendMessageResponse().setStatus(statusOf(answer)).setEntriesList(results));
    },
  });
  extend(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  endpoint = `127.0.0.1:${port}`;
  return Object.assign(fake, {
    endpoint,
    routeQueries,
    requests,
    headers,
    peers,
    stop: () => server.forceShutdown(),
  });
}

type RouteRequest = InstanceType<typeof rpc.QueryRouteRequest>;
type RouteResponse = InstanceType<typeof rpc.QueryRouteResponse>;
type SendRequest = InstanceType<typeof rpc.SendMessageRequest>;
type SendResponse = InstanceType<typeof rpc.SendMessageResponse>;
type Call<T> = { request: T; metadata: Metadata; getPeer(): string };
type Callback<T> = (error: Error | null, response: T) => void;
interface Wire {
  serializeBinary(): Uint8Array;
}

const serialize = (message: Wire): Buffer => Buffer.from(message.serializeBinary());
const unary = {
  requestStream: false,
  responseStream: false,
  requestSerialize: serialize,
  responseSerialize: serialize,
};
const SERVICE: ServiceDefinition = {
  queryRoute: {
    ...unary,
    path: '/apache.rocketmq.v2.MessagingService/QueryRoute',
    requestDeserialize: rpc.QueryRouteRequest.deserializeBinary,
    responseDeserialize: rpc.QueryRouteResponse.deserializeBinary,
  },
  sendMessage: {
    ...unary,
    path: '/apache.rocketmq.v2.MessagingService/SendMessage',
    requestDeserialize: rpc.SendMessageRequest.deserializeBinary,
    responseDeserialize: rpc.SendMessageResponse.deserializeBinary,
  },
};

/** A status of the generated classes. */
export function statusOf({ code, text = '' }: { code: number; text?: string }) {
  return new definition.Status().setCode(code as 20_000).setMessage(text);
}

function queuesOf({ types, endpoints, permission = 'READ_WRITE' }: FakeTopic, own: string) {
  return (endpoints ?? [own]).map((endpoint, index) => {
    const [host = '', port] = endpoint.split(':');
    const address = new definition.Address().setHost(host).setPort(Number(port));
    const addresses = new definition.Endpoints().setScheme(1).setAddressesList([address]);
    const broker = new definition.Broker().setName(`broker-${index}`).setEndpoints(addresses);
    return new definition.MessageQueue()
      .setBroker(broker)
      .setPermission(definition.Permission[permission])
      .setAcceptMessageTypesList(types.map((type) => definition.MessageType[type]));
  });
}
