import { createHash } from 'node:crypto';
import { ErrorWithSubackPacket, type IClientSubscribeOptions, type MqttClient } from 'mqtt';
import { type BridgeError, BrokerHoldError } from '../../domain/errors.ts';
import { withShare } from '../../domain/topic-filter-syntax.ts';
import type { SessionOptions } from '../../ports/mqtt-session.ts';
import { errorOfConnection, errorOfReason } from './errors.ts';

type Wanted = Pick<SessionOptions, 'topicFilters' | 'shareName' | 'qos' | 'retained'>;

/** AWS IoT Core takes no more in one packet; others have no need of more. */
const MAX_FILTERS_PER_PACKET = 8;
/** Largest Variable Byte Integer, MQTT 5 §1.5.5. */
const MAX_SUBSCRIPTION_IDENTIFIER = 268_435_455;
const FAILURE = 0x80;

/**
 * Subscription identifiers of topic filters. Each is made of its filter alone: a broker stores the identifier of the moment
 * with each queued message, and when filters come, go or change places, what is queued must not be taken for another filter's.
 */
export function subscriptionIdentifierOf(topicFilter: string): number {
  return 1 + (createHash('sha256').update(topicFilter).digest().readUInt32BE() % MAX_SUBSCRIPTION_IDENTIFIER);
}

/**
 * From subscription identifier to index of the filter. Filters whose identifiers are the same (one pair in 268 million) have
 * none: of those no broker can tell.
 */
export function filterIndexes(topicFilters: readonly string[]): ReadonlyMap<number, number> {
  const indexes = new Map<number, number>();
  const ambiguous = new Set<number>();
  for (const [index, topicFilter] of topicFilters.entries()) {
    const identifier = subscriptionIdentifierOf(topicFilter);
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
  const { topicFilters, shareName } = wanted;
  const packets = withIdentifiers
    ? topicFilters.map((topicFilter) => [topicFilter])
    : chunksOf(topicFilters, MAX_FILTERS_PER_PACKET);
  await Promise.all(
    packets.map(async (filters) => {
      const subscribed = filters.map((topicFilter) => withShare(topicFilter, shareName));
      const [first = ''] = filters;
      const identifier = withIdentifiers ? subscriptionIdentifierOf(first) : undefined;
      const granted = await send(client, subscribed, optionsOf(wanted, identifier));
      checkGranted(subscribed, granted, wantedQos(wanted));
    }),
  );
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
