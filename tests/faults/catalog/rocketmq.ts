import { aclSettings, proxyAclSettings } from '../../../local/parts/rocketmq-config.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Fault, FaultContext } from '../fault.ts';
import { setFileSizeLimit } from '../file-size-limit.ts';
import { fillCommitLog } from '../fill-commit-log.ts';
import { PAIR_NAMES, type Pair } from '../pairs.ts';
import { startRocketmqAgain } from '../rocketmq-again.ts';

/** Those that write to RocketMQ. */
const TO_ROCKETMQ = ['aws-iot → rocketmq', 'mqtt → rocketmq'] as const;
const READ_OUT_MS = 60_000;
/** Routes tell it, which the proxy keeps for 20 s and a producer for 30 after that: in less, who has just asked would not notice. */
const READ_ONLY_MS = 60_000;
/** The second one: the first is part of the fault. */
const RESTART_MS = 10_000;
const ACL_USER = { username: 'faults', password: 'not what the tasks have' };

/** RocketMQ answers, and refuses. */
export const ROCKETMQ_FAULTS: readonly Fault[] = [
  {
    name: 'rocketmq-read-only',
    what: `the broker is set to read-only for ${READ_ONLY_MS / 1_000} s`,
    lastsMs: READ_ONLY_MS,
    degrades: TO_ROCKETMQ,
    holdsUp: PAIR_NAMES,
    // Who has asked for the route a moment ago goes on: the broker itself refuses nothing.
    stops: ['mqtt → rocketmq'],
    // The proxy keeps what a route may do for some seconds.
    recoversMs: 25_000,
    async begin({ stage }) {
      await stage.setWritable(false);
      return () => stage.setWritable(true);
    },
  },
  {
    name: 'rocketmq-disk-full',
    what: 'RocketMQ may not make its files larger (RLIMIT_FSIZE), for 20 s from when it refuses messages',
    lastsMs: 20_000,
    costsMs: 15_000,
    degrades: TO_ROCKETMQ,
    holdsUp: PAIR_NAMES,
    async begin({ stage, strikes }) {
      const { pid } = stage.rocketmq.broker;
      // The commit log cannot get its next file; the small files still can be written.
      await setFileSizeLimit(pid, 4 * 1_024 * 1_024);
      await fillCommitLog(stage);
      strikes();
      return () => setFileSizeLimit(pid, 'unlimited');
    },
  },
  {
    name: 'rocketmq-throttles',
    what: 'the proxy takes one send at a time and answers 42900 (too many requests) to the rest, for 20 s; started with it and without it again',
    lastsMs: 20_000,
    costsMs: RESTART_MS,
    degrades: [],
    holdsUp: PAIR_NAMES,
    async begin(context) {
      const { stage } = context;
      const undo = await stage.setProxy({
        grpcProducerThreadPoolNums: 1,
        grpcProducerThreadQueueCapacity: 1,
      });
      await stage.rocketmq.restart();
      return async () => {
        await undo();
        await startRocketmqAgain(context);
      };
    },
  },
  {
    name: 'rocketmq-credentials',
    what: 'RocketMQ asks for credentials that the tasks do not have, for 20 s; started with ACL and without it again',
    lastsMs: 20_000,
    costsMs: RESTART_MS,
    degrades: PAIR_NAMES,
    async begin(context) {
      const { stage } = context;
      const undo = [
        await stage.setProxy(proxyAclSettings(ACL_USER)),
        await stage.setBroker(aclSettings(ACL_USER)),
      ];
      await stage.rocketmq.restart();
      return async () => {
        for (const one of undo) await one();
        await startRocketmqAgain(context);
      };
    },
  },
  {
    name: 'rocketmq-topic-deleted',
    what: 'every topic of the tasks is read out and deleted, and made again 15 s later',
    lastsMs: 15_000,
    costsMs: 10_000,
    degrades: TO_ROCKETMQ,
    holdsUp: PAIR_NAMES,
    // The proxy remembers for 20 s that there is no such topic.
    recoversMs: 25_000,
    begin: deleteTopics,
  },
];

async function deleteTopics({ stage, pairs, strikes }: FaultContext): Promise<() => Promise<void>> {
  await Promise.all(pairs.map(({ source }) => source.pause()));
  await Promise.all(pairs.map(untilReadOut));
  for (const { rocketmqTopic } of pairs) await stage.deleteTopic(rocketmqTopic);
  // What is written to RocketMQ by others has nowhere to go meanwhile: their publishers keep it.
  for (const { source } of pairs) source.start();
  strikes();
  return async () => {
    for (const { rocketmqTopic, isOrdered } of pairs) {
      await stage.createTopic(isOrdered ? 'FIFO' : 'NORMAL', rocketmqTopic);
    }
  };
}

/** The task and the control reader have got all that was sent. */
async function untilReadOut({ name, source, control, arrivals }: Pair): Promise<void> {
  await eventually(
    async () => {
      const { sent } = source;
      return sent
        .slice(-1_000)
        .filter(({ number }) => [control, arrivals].some(({ witness }) => !witness.hashes.has(number)));
    },
    (missing) => missing.length === 0,
    { timeoutMs: READ_OUT_MS, what: `all is read out: ${name}` },
  );
}
