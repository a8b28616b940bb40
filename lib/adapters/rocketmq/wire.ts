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

/** What a route query says about the queues one may write to. */
export interface WireRoute {
  status: WireStatus;
  accepts: ReadonlySet<AcceptedType>;
  /** host:port of the proxies in front of the writable masters, sorted, without repetition. */
  endpoints: readonly string[];
}

/** @param endpoint host:port as the cluster is registered: some services answer by it. */
export function encodeQueryRoute(rocketmqTopic: string, namespace: string, endpoint: string): Buffer {
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon);
  const address = new definition.Address().setHost(host).setPort(Number(endpoint.slice(colon + 1)));
  const scheme = isIPv4(host) ? definition.AddressScheme.IPV4 : definition.AddressScheme.DOMAIN_NAME;
  const topic = new definition.Resource().setName(rocketmqTopic).setResourceNamespace(namespace);
  const request = new rpc.QueryRouteRequest()
    .setTopic(topic)
    .setEndpoints(new definition.Endpoints().setScheme(scheme).setAddressesList([address]));
  return Buffer.from(request.serializeBinary());
}

export function decodeQueryRoute(bytes: Buffer): WireRoute {
  const response = rpc.QueryRouteResponse.deserializeBinary(bytes);
  const writable = response.getMessageQueuesList().filter(isWritableMaster);
  const types = writable.flatMap((queue) => queue.getAcceptMessageTypesList()).map(typeName);
  const addresses = writable.flatMap((queue) => queue.getBroker()?.getEndpoints()?.getAddressesList() ?? []);
  const endpoints = new Set(addresses.map((address) => `${address.getHost()}:${address.getPort()}`));
  return {
    status: wireStatus(response.getStatus()),
    accepts: new Set(types),
    endpoints: [...endpoints].sort(),
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

function isWritableMaster(queue: InstanceType<typeof definition.MessageQueue>): boolean {
  const { WRITE, READ_WRITE } = definition.Permission;
  const permission = queue.getPermission();
  return (
    (permission === WRITE || permission === READ_WRITE) &&
    (queue.getBroker()?.getId() ?? MASTER_BROKER_ID) === MASTER_BROKER_ID
  );
}

const TYPE_NAMES = new Map(
  Object.entries(definition.MessageType).map(([name, value]) => [value, name as AcceptedType]),
);

function typeName(value: number): AcceptedType {
  return TYPE_NAMES.get(value) ?? 'MESSAGE_TYPE_UNSPECIFIED';
}

function wireStatus(status: InstanceType<typeof definition.Status> | undefined): WireStatus {
  return { code: status?.getCode() ?? 0, text: status?.getMessage() ?? '' };
}
