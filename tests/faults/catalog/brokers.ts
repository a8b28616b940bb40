import { setTimeout as delay } from 'node:timers/promises';
import type { Relay } from '../../helpers/relay.ts';
import { OUTAGE_MESSAGES, OUTAGE_MS } from '../eighteen-seconds-figures.ts';
import type { Fault, FaultContext } from '../fault.ts';
import { PAIR_NAMES, type PairName } from '../pairs.ts';
import { startRocketmqAgain } from '../rocketmq-again.ts';
import type { FaultStage } from '../stage.ts';

const HANG_MS = 30_000;
const BLACK_HOLE_MS = 20_000;
const RESETS_MS = 10_000;
const RESET_EVERY_MS = 500;
const SLOW_MS = 400;
const SLOW_FOR_MS = 10_000;
/** Promises are kept at this rate too for what takes a part away altogether. */
const FAST = 500;

/** One of the brokers, and how it is got at. */
interface Part {
  /** Its faults' names begin so. */
  prefix: string;
  name: string;
  /** How long it is killed for, and what its new start takes. */
  awayMs: number;
  startMs: number;
  /** What 500 messages a second have left in queues takes the emulator afterwards. */
  catchUpMs: number;
  /** Those that have it at one end, and those that have it as their source. */
  pairs: readonly PairName[];
  sourceOf: readonly PairName[];
  relay(stage: FaultStage): Relay;
  pid(stage: FaultStage): number;
  kill(stage: FaultStage): Promise<void>;
  restart(context: FaultContext): Promise<void>;
}

const ROCKETMQ: Part = {
  prefix: 'rocketmq',
  name: 'RocketMQ',
  awayMs: OUTAGE_MS,
  startMs: 10_000,
  catchUpMs: 8 * 60_000,
  pairs: PAIR_NAMES,
  sourceOf: ['rocketmq → mqtt', 'rocketmq → aws-iot'],
  relay: ({ relays }) => relays.rocketmq,
  pid: ({ rocketmq }) => rocketmq.broker.pid,
  kill: ({ rocketmq }) => rocketmq.kill(),
  restart: startRocketmqAgain,
};
const MQTT: Part = {
  prefix: 'mqtt',
  name: 'the MQTT broker',
  awayMs: 20_000,
  startMs: 5_000,
  catchUpMs: 60_000,
  pairs: ['mqtt → rocketmq', 'rocketmq → mqtt'],
  sourceOf: ['mqtt → rocketmq'],
  relay: ({ relays }) => relays.mqtt,
  pid: (stage) => stage.mqttPid(),
  kill: (stage) => stage.killMqtt(),
  restart: ({ stage }) => stage.restartMqtt(),
};

/** Both brokers: killed, hung, unreachable in silence, resetting; the MQTT broker also slow. */
export const BROKER_FAULTS: readonly Fault[] = [
  {
    ...killed(ROCKETMQ),
    // The outage of 18 s for everybody: after it, what the sources could not send is sent.
    messages: OUTAGE_MESSAGES,
    costsMs: ROCKETMQ.startMs + 20_000,
  },
  hung(ROCKETMQ),
  swallowed(ROCKETMQ),
  killed(MQTT),
  hung(MQTT),
  swallowed(MQTT),
  {
    name: 'connections-reset',
    what: `each connection to RocketMQ and to the MQTT broker is reset, again every 0.5 s, for ${RESETS_MS / 1_000} s`,
    lastsMs: 0,
    costsMs: RESETS_MS,
    degrades: [],
    holdsUp: PAIR_NAMES,
    begin: ({ stage }) => resetAgainAndAgain([stage.relays.rocketmq, stage.relays.mqtt]),
  },
  {
    name: 'slow-pubacks',
    what: `whatever the MQTT broker says comes ${SLOW_MS} ms late, for ${SLOW_FOR_MS / 1_000} s`,
    lastsMs: SLOW_FOR_MS,
    degrades: [],
    async begin({ stage }) {
      stage.relays.mqtt.slow(SLOW_MS);
      return async () => stage.relays.mqtt.heal();
    },
  },
];

/** What takes a part away altogether, at five times the rate. Only with `--long`: what has gathered takes its time. */
export const FAST_BROKER_FAULTS: readonly Fault[] = [ROCKETMQ, MQTT].flatMap((part) =>
  [killed(part), hung(part), swallowed(part)].map((fault) => ({
    ...fault,
    name: `${fault.name}-fast`,
    perSecond: FAST,
    costsMs: (fault.costsMs ?? 0) + part.catchUpMs,
    isLong: true,
  })),
);

function killed({ prefix, name, awayMs, startMs, pairs, sourceOf, kill, restart }: Part): Fault {
  return {
    name: `${prefix}-killed`,
    what: `${name} is killed (SIGKILL) and started again ${awayMs / 1_000} s later`,
    lastsMs: awayMs,
    costsMs: startMs,
    degrades: pairs,
    sourceMayLose: sourceOf,
    async begin(context) {
      await kill(context.stage);
      return () => restart(context);
    },
  };
}

function hung({ prefix, name, pairs, pid }: Part): Fault {
  return {
    name: `${prefix}-hangs`,
    what: `${name} is stopped (SIGSTOP) for ${HANG_MS / 1_000} s: it hangs and refuses nothing`,
    lastsMs: HANG_MS,
    degrades: pairs,
    async begin({ stage }) {
      const stopped = pid(stage);
      process.kill(stopped, 'SIGSTOP');
      return async () => {
        process.kill(stopped, 'SIGCONT');
      };
    },
  };
}

function swallowed({ prefix, name, pairs, relay }: Part): Fault {
  return {
    name: `${prefix}-black-hole`,
    what: `the network drops all packets to ${name} in silence for ${BLACK_HOLE_MS / 1_000} s`,
    lastsMs: BLACK_HOLE_MS,
    degrades: pairs,
    async begin({ stage }) {
      relay(stage).swallow();
      return async () => relay(stage).heal();
    },
  };
}

async function resetAgainAndAgain(relays: readonly Relay[]) {
  const endMs = Date.now() + RESETS_MS;
  while (Date.now() < endMs) {
    for (const relay of relays) {
      relay.reset();
      relay.heal();
    }
    await delay(RESET_EVERY_MS);
  }
  return async () => undefined;
}
