import { isIPv4 } from 'node:net';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';

export const STATUS_OK = 20_000;
const MASTER_BROKER_ID = 0;

/** `apache.rocketmq.v2.Status`. */
export interface WireStatus {
  code: number;
  text: string;
}

/** Message types a topic accepts, by their names in `apache.rocketmq.v2.MessageType`. */
export type AcceptedType = keyof typeof definition.MessageType;

/** A broker that can be received from. */
export interface RouteBroker {
  name: string;
  /** host:port of a proxy in front of it. */
  endpoint: string;
}

/** What a route query says about a topic's queues. */
export interface WireRoute {
  status: WireStatus;
  /** What the writable queues accept; where none is, the readable ones. */
  accepts: ReadonlySet<AcceptedType>;
  /** host:port of the proxies in front of the writable masters, sorted, without repetition. */
  endpoints: readonly string[];
  /** The readable masters, by name. */
  readers: readonly RouteBroker[];
}

/** @param endpoint host:port as the cluster is registered: some services answer by it. */
export function encodeQueryRoute(rocketmqTopic: string, namespace: string, endpoint: string): Buffer {
  const { host, port, scheme } = addressScheme(endpoint);
  const address = new definition.Address().setHost(host).setPort(port);
  const topic = new definition.Resource().setName(rocketmqTopic).setResourceNamespace(namespace);
  const request = new rpc.QueryRouteRequest()
    .setTopic(topic)
    .setEndpoints(new definition.Endpoints().setScheme(scheme).setAddressesList([address]));
  return Buffer.from(request.serializeBinary());
}

/** Parts of host:port, and the number of its kind in `apache.rocketmq.v2.AddressScheme`. */
export function addressScheme(endpoint: string) {
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon);
  const scheme = isIPv4(host) ? definition.AddressScheme.IPV4 : definition.AddressScheme.DOMAIN_NAME;
  return { host, port: Number(endpoint.slice(colon + 1)), scheme };
}

export function decodeQueryRoute(bytes: Buffer): WireRoute {
  const response = rpc.QueryRouteResponse.deserializeBinary(bytes);
  const masters = response.getMessageQueuesList().filter(isOfMaster);
  const writable = masters.filter((queue) => permits(queue, definition.Permission.WRITE));
  const readable = masters.filter((queue) => permits(queue, definition.Permission.READ));
  const typed = writable.length > 0 ? writable : readable;
  const readers = new Map(
    readable.map((queue) => [queue.getBroker()?.getName() ?? '', endpointsOf(queue)[0] ?? '']),
  );
  return {
    status: wireStatus(response.getStatus()),
    accepts: new Set(typed.flatMap((queue) => queue.getAcceptMessageTypesList()).map(typeName)),
    endpoints: [...new Set(writable.flatMap(endpointsOf))].sort(),
    readers: [...readers]
      .map(([name, endpoint]) => ({ name, endpoint }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Status of the whole request, and of its entries as far as the cluster gives some. */
export function decodeSendMessage(bytes: Buffer): { status: WireStatus; entries: WireStatus[] } {
  const response = rpc.SendMessageResponse.deserializeBinary(bytes);
  return {
    status: wireStatus(response.getStatus()),
    entries: response.getEntriesList().map((entry) => wireStatus(entry.getStatus())),
  };
}

type WireQueue = InstanceType<typeof definition.MessageQueue>;

function isOfMaster(queue: WireQueue): boolean {
  return (queue.getBroker()?.getId() ?? MASTER_BROKER_ID) === MASTER_BROKER_ID;
}

function permits(queue: WireQueue, permission: number): boolean {
  const given = queue.getPermission();
  return given === permission || given === definition.Permission.READ_WRITE;
}

function endpointsOf(queue: WireQueue): string[] {
  const addresses = queue.getBroker()?.getEndpoints()?.getAddressesList() ?? [];
  return addresses.map((address) => `${address.getHost()}:${address.getPort()}`);
}

const TYPE_NAMES = new Map(
  Object.entries(definition.MessageType).map(([name, value]) => [value, name as AcceptedType]),
);

function typeName(value: number): AcceptedType {
  return TYPE_NAMES.get(value) ?? 'MESSAGE_TYPE_UNSPECIFIED';
}

/** A status of the generated classes as ours; 0 where there is none. */
export function wireStatus(status: InstanceType<typeof definition.Status> | undefined): WireStatus {
  return { code: status?.getCode() ?? 0, text: status?.getMessage() ?? '' };
}
