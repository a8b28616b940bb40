import { setTimeout as delay } from 'node:timers/promises';
import type { ApiAnswer } from '../../../local/api-client.ts';
import type { Fault } from '../fault.ts';
import { PAIR_NAMES } from '../pairs.ts';
import { SHIFT_PAIRS } from './processes.ts';

const MQTT_PAIRS = ['mqtt → rocketmq', 'rocketmq → mqtt'] as const;
const THROTTLED_SHARE = 0.7;
/** First in silence, then with a reset of each connection. */
const IOT_SILENT_MS = 15_000;
const IOT_AWAY_MS = 20_000;
const ANY_STATUS = Array.from({ length: 500 }, (_, index) => index + 100);

/** What the functions lean on: AWS IoT as a target, the table, and what their secrets are worth. */
export const CLOUD_FAULTS: readonly Fault[] = [
  {
    name: 'aws-iot-away',
    what: `the data plane of AWS IoT answers nothing for ${IOT_SILENT_MS / 1_000} s, and resets each connection for ${(IOT_AWAY_MS - IOT_SILENT_MS) / 1_000} s more`,
    lastsMs: IOT_AWAY_MS,
    degrades: ['rocketmq → aws-iot'],
    async begin({ stage, miss }) {
      const { iot } = stage.relays;
      const before = iot.refused;
      iot.swallow();
      await delay(IOT_SILENT_MS);
      iot.reset();
      return async () => {
        iot.heal();
        if (iot.refused === before) miss('rocketmq → aws-iot', 'nothing was refused');
      };
    },
  },
  {
    name: 'table-throttled',
    what: `DynamoDB refuses ${THROTTLED_SHARE * 100} % of the requests for their number, for 15 s`,
    lastsMs: 15_000,
    degrades: [],
    async begin({ stage, pairs, miss }) {
      const { table } = stage.relays;
      const before = table.refused;
      table.throttle(THROTTLED_SHARE);
      return async () => {
        table.heal();
        if (table.refused === before) for (const { name } of pairs) miss(name, 'nothing was refused');
      };
    },
  },
  {
    name: 'table-away',
    what: 'DynamoDB resets every connection for 30 s, longer than a lease; the API answers 503 meanwhile and claims no status of any task',
    lastsMs: 30_000,
    degrades: [],
    holdsUp: PAIR_NAMES,
    stops: SHIFT_PAIRS,
    recoversMs: 15_000,
    async begin({ stage, pairs, tell, miss }) {
      stage.relays.table.goAway();
      await Promise.all(
        pairs.map(async ({ name, taskId }) => {
          // Whatever keeps it from answering: the row says so.
          const answer = await stage
            .api('GET', `/tasks/${taskId}`, { expected: ANY_STATUS })
            .catch(() => undefined);
          tell(name, `the API: ${answer?.status ?? 'nothing'}`);
          for (const what of claimsOf(answer)) miss(name, what);
        }),
      );
      return async () => stage.relays.table.heal();
    },
  },
  {
    name: 'mqtt-credentials',
    what: 'the MQTT broker asks for another password than the tasks have, for 20 s; started with it and with the right one again',
    lastsMs: 20_000,
    costsMs: 10_000,
    degrades: MQTT_PAIRS,
    sourceMayLose: ['mqtt → rocketmq'],
    // What a person has to mend is tried again every 30 s.
    recoversMs: 35_000,
    async begin({ stage }) {
      await stage.killMqtt();
      await stage.restartMqtt('not what the tasks have');
      return async () => {
        await stage.killMqtt();
        await stage.restartMqtt();
      };
    },
  },
];

/** What is wrong with an answer about a task without the table. A problem document has its HTTP status as a number. */
export function claimsOf(answer: Pick<ApiAnswer, 'status' | 'body'> | undefined): string[] {
  if (answer === undefined) return ['the API does not answer without its table'];
  const { status } = answer;
  const claimed = (answer.body as { status?: unknown } | undefined)?.status;
  return [
    ...(status === 503 ? [] : [`the API answers ${status} without its table, not 503`]),
    ...(typeof claimed === 'string' ? [`the API claims ${claimed} without its table`] : []),
  ];
}
