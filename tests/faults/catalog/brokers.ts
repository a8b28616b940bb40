import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultContext } from '../fault.ts';
import { PAIR_NAMES } from '../pairs.ts';

const AWAY_MS = 20_000;
const HANG_MS = 30_000;
/** The bar is held at this rate too for what takes a part away altogether. */
const FAST = 500;
/** Every 500 ms the connections are reset. */
const RESET_EVERY_MS = 500;
const SLOW_MS = 400;

/** The two whose other end is the MQTT broker. */
const MQTT_PAIRS = ['mqtt → rocketmq', 'rocketmq → mqtt'] as const;

/** Both brokers: killed, hung, unreachable in silence, resetting, slow. */
export const BROKER_FAULTS: readonly Fault[] = [
  killRocketmq({ name: 'rocketmq-killed' }),
  killRocketmq({ name: 'rocketmq-killed-fast', perSecond: FAST }),
  hang({ name: 'rocketmq-hangs', part: 'RocketMQ', degrades: PAIR_NAMES }),
  hang({ name: 'rocketmq-hangs-fast', part: 'RocketMQ', degrades: PAIR_NAMES, perSecond: FAST }),
  blackHole({ name: 'rocketmq-black-hole', part: 'RocketMQ', degrades: PAIR_NAMES }),
  blackHole({ name: 'rocketmq-black-hole-fast', part: 'RocketMQ', degrades: PAIR_NAMES, perSecond: FAST }),
  {
    name: 'rocketmq-resets',
    what: 'each connection to RocketMQ is reset, again every 0.5 s, for 10 s',
    lastsMs: 0,
    degrades: [],
    begin: ({ stage }) => resetAgainAndAgain(stage.relays.rocketmq, 10_000),
  },
  killMqtt({ name: 'mqtt-killed' }),
  killMqtt({ name: 'mqtt-killed-fast', perSecond: FAST }),
  hang({ name: 'mqtt-hangs', part: 'MQTT', degrades: MQTT_PAIRS }),
  hang({ name: 'mqtt-hangs-fast', part: 'MQTT', degrades: MQTT_PAIRS, perSecond: FAST }),
  blackHole({ name: 'mqtt-black-hole', part: 'MQTT', degrades: MQTT_PAIRS }),
  blackHole({ name: 'mqtt-black-hole-fast', part: 'MQTT', degrades: MQTT_PAIRS, perSecond: FAST }),
  {
    name: 'mqtt-resets',
    what: 'each connection to the MQTT broker is reset, again every 0.5 s, for 10 s',
    lastsMs: 0,
    degrades: [],
    holdsUp: MQTT_PAIRS,
    begin: ({ stage }) => resetAgainAndAgain(stage.relays.mqtt, 10_000),
  },
  {
    name: 'slow-pubacks',
    what: `whatever the MQTT broker says comes ${SLOW_MS} ms late, for 20 s`,
    lastsMs: 20_000,
    degrades: [],
    async begin({ stage }) {
      stage.relays.mqtt.slow(SLOW_MS);
      return async () => stage.relays.mqtt.heal();
    },
  },
];

type Part = 'RocketMQ' | 'MQTT';
type Common = Pick<Fault, 'name' | 'perSecond'>;

function killRocketmq(common: Common): Fault {
  return {
    ...common,
    what: `RocketMQ is killed (SIGKILL) and started again ${AWAY_MS / 1_000} s later`,
    lastsMs: AWAY_MS,
    degrades: PAIR_NAMES,
    async begin({ stage }) {
      await stage.rocketmq.kill();
      return () => stage.rocketmq.restart();
    },
  };
}

function killMqtt(common: Common): Fault {
  return {
    ...common,
    what: `the MQTT broker is killed (SIGKILL) and started again ${AWAY_MS / 1_000} s later`,
    lastsMs: AWAY_MS,
    degrades: MQTT_PAIRS,
    async begin({ stage }) {
      await stage.killMqtt();
      return () => stage.restartMqtt();
    },
  };
}

function hang({ part, ...common }: Common & { part: Part; degrades: Fault['degrades'] }): Fault {
  return {
    ...common,
    what: `${nameOf(part)} is stopped (SIGSTOP) for ${HANG_MS / 1_000} s: it hangs and refuses nothing`,
    lastsMs: HANG_MS,
    async begin({ stage }) {
      const pid = part === 'RocketMQ' ? stage.rocketmq.broker.pid : stage.mqttPid();
      process.kill(pid, 'SIGSTOP');
      return async () => {
        process.kill(pid, 'SIGCONT');
      };
    },
  };
}

function blackHole({ part, ...common }: Common & { part: Part; degrades: Fault['degrades'] }): Fault {
  return {
    ...common,
    what: `the network drops all packets to ${nameOf(part)} in silence for ${HANG_MS / 1_000} s`,
    lastsMs: HANG_MS,
    async begin({ stage }) {
      const relay = part === 'RocketMQ' ? stage.relays.rocketmq : stage.relays.mqtt;
      relay.swallow();
      return async () => relay.heal();
    },
  };
}

function nameOf(part: Part): string {
  return part === 'RocketMQ' ? 'RocketMQ' : 'the MQTT broker';
}

async function resetAgainAndAgain(relay: FaultContext['stage']['relays']['mqtt'], forMs: number) {
  const endMs = Date.now() + forMs;
  while (Date.now() < endMs) {
    relay.reset();
    relay.heal();
    await delay(RESET_EVERY_MS);
  }
  return async () => undefined;
}
