import type { Fault } from '../fault.ts';
import { PAIR_NAMES } from '../pairs.ts';
import { startRocketmqAgain } from '../rocketmq-again.ts';
import { TWENTY_SHIFTS } from './twenty-shifts.ts';

/** More than 17 times the 30 s for which a pulled message is invisible: 16 is where RocketMQ gives up by itself. */
const LONG_MS = 10 * 60_000;
const MQTT_PAIRS = ['mqtt → rocketmq', 'rocketmq → mqtt'] as const;

/** What has gathered in so long a time has to be carried. */
const CATCH_UP_MS = 3 * 60_000;
/**
 * What a task's queue has gathered the emulator hands out in batches of ten, about 30 messages a second: 10 minutes of 100 a second would take
 * it half an hour. AWS hands out hundreds at a time, and of a FIFO queue as many batches as there are groups.
 */
const QUEUED_PER_SECOND = 15;
const SHIFTS = ['session', 'pull'] as const;

/** Targets that are away for long, under full input, and shifts that are killed again and again. Only with `--long`. */
export const LONG_FAULTS: readonly Fault[] = [
  {
    name: 'rocketmq-away-long',
    what: 'RocketMQ is killed, and started again 10 minutes later, more than 17 times the invisible time',
    lastsMs: LONG_MS,
    degrades: PAIR_NAMES,
    isLong: true,
    costsMs: 2 * CATCH_UP_MS,
    mostPerSecond: { 'aws-iot → rocketmq': QUEUED_PER_SECOND, 'mqtt → rocketmq': QUEUED_PER_SECOND },
    quietMs: 2 * 60_000,
    watchesMemory: SHIFTS,
    async begin(context) {
      await context.stage.rocketmq.kill();
      return () => startRocketmqAgain(context);
    },
  },
  {
    name: 'mqtt-away-long',
    what: 'the network drops all packets to the MQTT broker for 10 minutes, more than 17 times the invisible time',
    lastsMs: LONG_MS,
    degrades: MQTT_PAIRS,
    isLong: true,
    costsMs: CATCH_UP_MS,
    quietMs: 2 * 60_000,
    watchesMemory: SHIFTS,
    async begin({ stage }) {
      stage.relays.mqtt.swallow();
      return async () => stage.relays.mqtt.heal();
    },
  },
  TWENTY_SHIFTS,
];
