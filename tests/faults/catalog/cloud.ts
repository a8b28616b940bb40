import type { Fault } from '../fault.ts';
import { PAIR_NAMES } from '../pairs.ts';

const MQTT_PAIRS = ['mqtt → rocketmq', 'rocketmq → mqtt'] as const;
const THROTTLED_SHARE = 0.7;

/** What the functions lean on: the table, and secrets. */
export const CLOUD_FAULTS: readonly Fault[] = [
  {
    name: 'table-throttled',
    what: `DynamoDB refuses ${THROTTLED_SHARE * 100} % of the requests for their number, for 20 s`,
    lastsMs: 20_000,
    degrades: [],
    async begin({ stage }) {
      stage.relays.table.throttle(THROTTLED_SHARE);
      return async () => stage.relays.table.heal();
    },
  },
  {
    name: 'table-away',
    what: 'DynamoDB resets every connection for 30 s, longer than a lease; the API answers 503 meanwhile',
    lastsMs: 30_000,
    degrades: [],
    holdsUp: PAIR_NAMES,
    recoversMs: 15_000,
    async begin({ stage, pairs }) {
      stage.relays.table.goAway();
      const { status } = await stage.api('GET', `/tasks/${pairs[0]?.taskId}`, {
        expected: Array.from({ length: 500 }, (_, index) => index + 100),
      });
      if (status !== 503) throw new Error(`the API answers ${status} without its table, not 503`);
      return async () => stage.relays.table.heal();
    },
  },
  {
    name: 'mqtt-credentials',
    what: "the password in the MQTT cluster's secret is wrong for 20 s, and the connections are cut",
    lastsMs: 20_000,
    degrades: MQTT_PAIRS,
    // Secrets are read again at most every 15 s.
    recoversMs: 20_000,
    async begin({ stage }) {
      const { mqttPassword, setMqttPassword } = stage.secrets;
      await setMqttPassword('wrong');
      stage.relays.mqtt.reset();
      stage.relays.mqtt.heal();
      return () => setMqttPassword(mqttPassword);
    },
  },
];
