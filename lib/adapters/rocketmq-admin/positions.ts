import type { Position, RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import type { BrokerClient } from './broker-client.ts';
import type { BrokerNames } from './broker-names.ts';
import { topicNotFound } from './errors.ts';
import { REQUEST } from './request-codes.ts';

/** The part of the port that moves consumer groups. */
export function createPositions({
  client,
  names,
}: {
  client: BrokerClient;
  names: BrokerNames;
}): Pick<RocketmqAdmin, 'resetPosition'> {
  return {
    async resetPosition({ rocketmqTopic, consumerGroup, position }) {
      const doing = `moving consumer group ${consumerGroup} on topic ${rocketmqTopic}`;
      const topic = names.wrap(rocketmqTopic);
      const addresses = await client.mastersOf(topic, doing);
      if (addresses === undefined) throw topicNotFound(rocketmqTopic, doing);
      const request = {
        code: REQUEST.RESET_OFFSET,
        fields: {
          topic,
          group: names.wrap(consumerGroup),
          timestamp: `${timestampOf(position)}`,
          isForce: 'true',
          // All queues, by the time.
          queueId: '-1',
          offset: '-1',
        },
      };
      await Promise.all(addresses.map((address) => client.ask(address, request, doing)));
    },
  };
}

/** As the broker reads it: -1 is the end; the first message at or after a time begins. */
function timestampOf(position: Position): number {
  if (position === 'latest') return -1;
  return position === 'earliest' ? 0 : Math.max(0, position.timestampMs);
}
