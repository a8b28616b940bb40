import { setTimeout as delay } from 'node:timers/promises';
import type { Relay } from '../../helpers/relay.ts';
import type { Fault } from '../fault.ts';
import { PAIR_NAMES, type PairName } from '../pairs.ts';
import type { FaultStage } from '../stage.ts';

const AWAY_MS = 20_000;
const HANG_MS = 30_000;
const RESETS_MS = 10_000;
const RESET_EVERY_MS = 500;
const SLOW_MS = 400;
/** Promises are kept at this rate too for what takes a part away altogether. */
const FAST = 500;

/** One of the brokers, and how it is got at. */
interface Part {
  /** Its faults' names begin so. */
  prefix: string;
  name: string;
  /** Those that have it at one end. */
  pairs: readonly PairName[];
  relay(stage: FaultStage): Relay;
  pid(stage: FaultStage): number;
  kill(stage: FaultStage): Promise<void>;
  restart(stage: FaultStage): Promise<void>;
}

const ROCKETMQ: Part = {
  prefix: 'rocketmq',
  name: 'RocketMQ',
  pairs: PAIR_NAMES,
  relay: ({ relays }) => relays.rocketmq,
  pid: ({ rocketmq }) => rocketmq.broker.pid,
  kill: ({ rocketmq }) => rocketmq.kill(),
  restart: ({ rocketmq }) => rocketmq.restart(),
};
const MQTT: Part = {
  prefix: 'mqtt',
  name: 'the MQTT broker',
  pairs: ['mqtt → rocketmq', 'rocketmq → mqtt'],
  relay: ({ relays }) => relays.mqtt,
  pid: (stage) => stage.mqttPid(),
  kill: (stage) => stage.killMqtt(),
  restart: (stage) => stage.restartMqtt(),
};

/** Both brokers: killed, hung, unreachable in silence, resetting; the MQTT broker also slow. */
export const BROKER_FAULTS: readonly Fault[] = [
  ...faultsOf(ROCKETMQ),
  ...faultsOf(MQTT),
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

function faultsOf(part: Part): Fault[] {
  const takenAway = [killed(part), hung(part), swallowed(part)];
  return [
    ...takenAway.flatMap((fault) => [fault, { ...fault, name: `${fault.name}-fast`, perSecond: FAST }]),
    {
      name: `${part.prefix}-resets`,
      what: `each connection to ${part.name} is reset, again every 0.5 s, for ${RESETS_MS / 1_000} s`,
      lastsMs: 0,
      degrades: [],
      holdsUp: part.pairs,
      begin: ({ stage }) => resetAgainAndAgain(part.relay(stage)),
    },
  ];
}

function killed({ prefix, name, pairs, kill, restart }: Part): Fault {
  return {
    name: `${prefix}-killed`,
    what: `${name} is killed (SIGKILL) and started again ${AWAY_MS / 1_000} s later`,
    lastsMs: AWAY_MS,
    degrades: pairs,
    async begin({ stage }) {
      await kill(stage);
      return () => restart(stage);
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
    what: `the network drops all packets to ${name} in silence for ${HANG_MS / 1_000} s`,
    lastsMs: HANG_MS,
    degrades: pairs,
    async begin({ stage }) {
      relay(stage).swallow();
      return async () => relay(stage).heal();
    },
  };
}

async function resetAgainAndAgain(relay: Relay) {
  const endMs = Date.now() + RESETS_MS;
  while (Date.now() < endMs) {
    relay.reset();
    relay.heal();
    await delay(RESET_EVERY_MS);
  }
  return async () => undefined;
}
