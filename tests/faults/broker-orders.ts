import { readFile, writeFile } from 'node:fs/promises';
import { remotingCall } from '../../lib/adapters/rocketmq-admin/remoting-call.ts';
import type { Rocketmq } from '../../local/parts/rocketmq.ts';
import { CLUSTER_NAME } from '../../local/parts/rocketmq-config.ts';

/** `RequestCode`s of the remoting protocol that the product has no use for. */
const UPDATE_BROKER_CONFIG = 25;
const GET_TOPIC_STATS = 202;
const DELETE_TOPIC_IN_BROKER = 215;
const DELETE_TOPIC_IN_NAME_SERVER = 216;
const SUCCESS = 0;

const WRITABLE = 6;
const READ_ONLY = 4;

/** What an operator may do to RocketMQ, by its remoting protocol or its files. */
export function brokerOrders(rocketmq: Rocketmq) {
  const broker = `127.0.0.1:${rocketmq.ports.broker}`;

  async function order(address: string, request: Parameters<typeof remotingCall>[1]): Promise<Buffer> {
    const answer = await remotingCall(address, request);
    if (answer.code !== SUCCESS) throw new Error(`${address} refused ${request.code}: ${answer.remark}`);
    return answer.body;
  }

  async function configure(settings: Readonly<Record<string, string | number>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await order(broker, { code: UPDATE_BROKER_CONFIG, body: Buffer.from(lines.join('')) });
  }

  return {
    async setWritable(isWritable: boolean): Promise<void> {
      await configure({ brokerPermission: isWritable ? WRITABLE : READ_ONLY });
    },

    async deleteTopic(topic: string): Promise<void> {
      await order(broker, { code: DELETE_TOPIC_IN_BROKER, fields: { topic } });
      await order(rocketmq.nameServer, {
        code: DELETE_TOPIC_IN_NAME_SERVER,
        fields: { topic, clusterName: CLUSTER_NAME },
      });
    },

    /** Messages that RocketMQ itself has given up for a group. */
    async countGivenUp(consumerGroup: string): Promise<number> {
      const answer = await remotingCall(broker, {
        code: GET_TOPIC_STATS,
        fields: { topic: `%DLQ%${consumerGroup}` },
      });
      // No such topic: it has never given up any.
      if (answer.code !== SUCCESS) return 0;
      const ends = [...String(answer.body).matchAll(/"maxOffset":(\d+)/g)];
      return ends.reduce((sum, [, maxOffset]) => sum + Number(maxOffset), 0);
    },

    /** Members of the proxy's settings file, which count from its next start on. Answers how they were. */
    async setProxy(members: Readonly<Record<string, unknown>>): Promise<() => Promise<void>> {
      return changeFile(rocketmq.files.proxy, (text) =>
        JSON.stringify({ ...(JSON.parse(text) as object), ...members }, null, 2),
      );
    },

    /** Lines of `broker.conf`, likewise. */
    async setBroker(
      settings: Readonly<Record<string, string | number | boolean>>,
    ): Promise<() => Promise<void>> {
      const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
      return changeFile(rocketmq.files.broker, (text) => `${text}${lines.join('')}`);
    },
  };
}

async function changeFile(file: string, change: (text: string) => string): Promise<() => Promise<void>> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, change(before));
  return () => writeFile(file, before);
}
