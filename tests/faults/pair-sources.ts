import { randomUUID } from 'node:crypto';
import type { IPublishPacket } from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import type { NumberedMessage } from '../helpers/numbered-messages.ts';
import type { Connect } from './pair-readers.ts';
import type { FaultStage } from './stage.ts';
import { createSteadySource, type SteadySource } from './steady-source.ts';

const SEND_BATCH = 100;
const SEND_MS = 20_000;
const PUBLISHED_MS = 60_000;

/** Publishes to `faults/<run>/<line>/<number>`, at most so many unacknowledged. */
export async function mqttSource(
  connect: Connect,
  run: string,
  perSecond: number,
  atMost: number,
): Promise<SteadySource> {
  const client = await connect({ clientId: `source-${randomUUID()}` });
  const publish = async ({ line, number, payload }: NumberedMessage) => {
    const packet: Pick<IPublishPacket, 'topic'> = { topic: `faults/${run}/${line}/${number}` };
    // What the broker has not acknowledged is sent again by the client when it has connected again.
    await inTime(client.publishAsync(packet.topic, payload, { qos: 1 }));
  };
  return createSteadySource({
    perSecond,
    atMost,
    async send(messages) {
      await Promise.all(messages.map(publish));
    },
    close: () => client.endAsync(true),
  });
}

/** Sends with the line as tag and the number as key. */
export function rocketmqSource(
  { rocketmq: { endpoint } }: FaultStage['ends'],
  rocketmqTopic: string,
  perSecond: number,
  isOrdered: boolean,
): SteadySource {
  const producer = new RocketmqProducer({ endpoint, tls: false, multiMessage: 'auto', clock: systemClock });
  const messageOf = ({ line, number, payload }: NumberedMessage): RocketmqMessage => ({
    rocketmqTopic,
    body: payload,
    tag: line,
    keys: [`${number}`],
    properties: new Map(),
    ...(isOrdered ? { messageGroup: line } : {}),
  });
  return createSteadySource({
    perSecond,
    atMost: SEND_BATCH,
    isNeverEmpty: true,
    async send(messages) {
      const deadlineMs = Date.now() + SEND_MS;
      const results = await producer.send(rocketmqTopic, messages.map(messageOf), { deadlineMs });
      const failed = results.find(({ status }) => status === 'failed');
      if (failed !== undefined) throw new Error(`not sent: ${JSON.stringify(failed)}`);
    },
    close: () => producer.close(),
  });
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('not published in time')), PUBLISHED_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
