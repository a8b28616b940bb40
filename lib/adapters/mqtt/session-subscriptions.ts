import { createHash } from 'node:crypto';
import { ErrorWithSubackPacket, type IClientSubscribeOptions, type MqttClient } from 'mqtt';
import { type BridgeError, BrokerHoldError } from '../../domain/errors/errors.ts';
import { copyKeys } from '../../domain/topics/topic-filter.ts';
import { withShare } from '../../domain/topics/topic-filter-syntax.ts';
import type { SessionOptions } from '../../ports/mqtt-session.ts';
import { errorOfConnection, errorOfReason } from './errors.ts';

type Wanted = Pick<SessionOptions, 'topicFilters' | 'shareName' | 'qos' | 'retained'>;

/** AWS IoT Core takes no more in one packet; others have no need of more. */
const MAX_FILTERS_PER_PACKET = 8;
/** Largest Variable Byte Integer, MQTT 5 §1.5.5. */
const MAX_SUBSCRIPTION_IDENTIFIER = 268_435_455;
const FAILURE = 0x80;

/**
 * Subscription identifiers of topic filters, of what `copyKeys` says: a broker stores the identifier of the moment with each
 * queued message. So when filters come, go or change places, what is queued is not taken
 * for another filter's, nor for the copy of a message that no earlier filter brought.
 */
export function subscriptionIdentifiers(topicFilters: readonly string[]): number[] {
  return copyKeys(topicFilters).map(
    (key) => 1 + (createHash('sha256').update(key).digest().readUInt32BE() % MAX_SUBSCRIPTION_IDENTIFIER),
  );
}

/**
 * From subscription identifier to index of the filter. Filters whose identifiers are the same (one pair in 268 million) have
 * none: of those no broker can tell.
 */
export function filterIndexes(topicFilters: readonly string[]): ReadonlyMap<number, number> {
  const indexes = new Map<number, number>();
  const ambiguous = new Set<number>();
  for (const [index, identifier] of subscriptionIdentifiers(topicFilters).entries()) {
    if (indexes.has(identifier)) ambiguous.add(identifier);
    indexes.set(identifier, index);
  }
  for (const identifier of ambiguous) indexes.delete(identifier);
  return indexes;
}

/** Subscribes to all filters. Throws a `BridgeError` that names the first one that is refused. */
export async function subscribe(
  client: MqttClient,
  wanted: Wanted,
  { withIdentifiers }: { withIdentifiers: boolean },
): Promise<void> {
  const { topicFilters } = wanted;
  if (!withIdentifiers) {
    const packets = chunksOf(topicFilters, MAX_FILTERS_PER_PACKET);
    await Promise.all(packets.map((filters) => subscribeTo(client, filters, wanted)));
    return;
  }
  const identifiers = subscriptionIdentifiers(topicFilters);
  const keys = copyKeys(topicFilters);
  const indexes = [...topicFilters.keys()];
  const one = (index: number) =>
    subscribeTo(client, topicFilters.slice(index, index + 1), wanted, identifiers[index]);
  await Promise.all(indexes.filter((index) => keys[index] === topicFilters[index]).map(one));
  // Their identifiers say that the earlier filters are granted.
  for (const index of indexes) if (keys[index] !== topicFilters[index]) await one(index);
}

/** One SUBSCRIBE. */
async function subscribeTo(
  client: MqttClient,
  topicFilters: readonly string[],
  wanted: Wanted,
  identifier?: number,
): Promise<void> {
  const subscribed = topicFilters.map((topicFilter) => withShare(topicFilter, wanted.shareName));
  const granted = await send(client, subscribed, optionsOf(wanted, identifier));
  checkGranted(subscribed, granted, wantedQos(wanted));
}

/** Unsubscribes from filters as they were subscribed. */
export async function unsubscribe(client: MqttClient, subscribed: readonly string[]): Promise<void> {
  const packets = chunksOf(subscribed, MAX_FILTERS_PER_PACKET);
  await Promise.all(packets.map((filters) => client.unsubscribeAsync(filters).catch(rethrow)));
}

/** QoS 2 is never asked for: towards RocketMQ it is at least once all the same, and takes twice the packets. */
function wantedQos({ qos }: Wanted): 0 | 1 {
  return qos === 0 ? 0 : 1;
}

/** No Local stays off: with a shared subscription it is an error [MQTT-3.8.3-4]. MQTT.js leaves all but QoS out for 3.1.1. */
function optionsOf(wanted: Wanted, identifier: number | undefined): IClientSubscribeOptions {
  return {
    qos: wantedQos(wanted),
    nl: false,
    rap: true,
    rh: wanted.retained === 'never' ? 2 : 1,
    ...(identifier === undefined ? {} : { properties: { subscriptionIdentifier: identifier } }),
  };
}

/** Answers the reason code for each filter. */
async function send(
  client: MqttClient,
  filters: string[],
  options: IClientSubscribeOptions,
): Promise<readonly number[]> {
  try {
    const grants = await client.subscribeAsync(filters, options);
    return grants.map(({ qos }) => qos);
  } catch (error) {
    const granted = error instanceof ErrorWithSubackPacket ? error.packet?.granted : undefined;
    if (granted === undefined) return rethrow(error);
    return granted.map(Number);
  }
}

function checkGranted(filters: readonly string[], granted: readonly number[], wanted: 0 | 1): void {
  for (const [index, topicFilter] of filters.entries()) {
    const code = granted[index] ?? FAILURE;
    if (code >= FAILURE) throw errorOfReason('subscribe', code, { topicFilter });
    if (code < wanted) throw qosLowered(topicFilter);
  }
}

/** At most once where at least once was asked for: messages would be lost without a word. */
function qosLowered(topicFilter: string): BridgeError {
  return new BrokerHoldError(
    `subscribing at the MQTT broker ("${topicFilter}"): it grants QoS 0 only, which may lose messages`,
    {
      code: 'SUBSCRIBE_QOS_LOWERED',
      scope: 'topic',
      hint: 'Allow QoS 1 for this topic filter on the broker, or set "qos" of the task to 0.',
    },
  );
}

function rethrow(error: unknown): never {
  throw errorOfConnection(error);
}

function chunksOf(filters: readonly string[], size: number): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < filters.length; at += size) chunks.push(filters.slice(at, at + size));
  return chunks;
}
