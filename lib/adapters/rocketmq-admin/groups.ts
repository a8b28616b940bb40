import type { RocketmqAdmin } from '../../ports/rocketmq-admin.ts';
import type { BrokerClient } from './broker-client.ts';
import type { BrokerNames } from './broker-names.ts';
import type { RemotingRequest } from './remoting-call.ts';
import { REQUEST } from './request-codes.ts';

/** The part of the port that is about consumer groups. */
export function createGroups({
  client,
  names,
}: {
  client: BrokerClient;
  names: BrokerNames;
}): Pick<RocketmqAdmin, 'ensureGroup' | 'deleteGroup'> {
  async function onEachMaster(request: RemotingRequest, doing: string): Promise<void> {
    const { addresses } = await client.masters(doing);
    await Promise.all(addresses.map((address) => client.ask(address, request, doing)));
  }

  return {
    async ensureGroup({ consumerGroup, isOrderly, retryMaxTimes }) {
      const group = {
        groupName: names.wrap(consumerGroup),
        consumeEnable: true,
        consumeBroadcastEnable: true,
        consumeFromMinEnable: true,
        consumeMessageOrderly: isOrderly,
        retryQueueNums: 1,
        retryMaxTimes,
      };
      const body = Buffer.from(JSON.stringify(group));
      const request = { code: REQUEST.UPDATE_AND_CREATE_SUBSCRIPTION_GROUP, body };
      await onEachMaster(request, `creating consumer group ${consumerGroup}`);
    },
    async deleteGroup(consumerGroup) {
      const fields = { groupName: names.wrap(consumerGroup), cleanOffset: 'true' };
      const request = { code: REQUEST.DELETE_SUBSCRIPTION_GROUP, fields };
      await onEachMaster(request, `deleting consumer group ${consumerGroup}`);
    },
  };
}
