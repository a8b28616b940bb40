import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import { BridgeError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import type { RocketmqToMqttDefinition, Task } from '../../domain/tasks/task.ts';
import { literalTextOf } from '../../domain/templates/template.ts';
import { decodeRocketmqEnvelope } from '../../mapping/rocketmq-envelope.ts';
import { createRocketmqToMqttMapper, type RocketmqToMqttMapper } from '../../mapping/rocketmq-to-mqtt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttClusterRecord, MqttPublisher, MqttPublishers } from '../../ports/mqtt-publisher.ts';
import { type Random, retryWaitMs } from '../retry-schedule.ts';
import { failedBy, type LetterCarrier, type LetterOutcome, leftBy } from './letter-outcome.ts';

const CONCURRENT_GROUPS = 16;
const CONNECT_MS = 10_000;
const ANSWER_MS = 5_000;
const MAX_TRIES = 3;
/** Behind a letter of its group that was left. */
const STOPPED = leftBy({ code: 'GROUP_STOPPED', message: 'an earlier message of its group was not carried' });

export interface CarryPulledPorts {
  publishers: Pick<MqttPublishers, 'open'>;
  clock: Clock;
  random?: Random | undefined;
}

/**
 * To MQTT, over a connection of its own beside those of the task's lanes. Message groups go side by side. Throws a `BridgeError`
 * when the target is not reached.
 */
export async function openPulledCarrier(
  {
    task,
    definition,
    target,
  }: { task: Task; definition: RocketmqToMqttDefinition; target: MqttClusterRecord },
  ports: CarryPulledPorts,
): Promise<LetterCarrier> {
  const { clock } = ports;
  const kind = target.kind === 'aws-iot' ? 'aws-iot' : 'mqtt';
  const mapper = createRocketmqToMqttMapper(definition, task.taskId, kind);
  const publisher = await ports.publishers.open(target, { clientId: `mqferry-${task.taskId}-r` });
  try {
    await publisher.check(clock.now() + CONNECT_MS);
  } catch (error) {
    await publisher.close();
    throw error;
  }
  const options = {
    ...ports,
    publisher,
    // A task that runs has a target that takes messages: a rendered topic that it refuses is the message's own fault.
    ownsTopic: task.status === 'running' && literalTextOf(definition.target.topic) === undefined,
  };
  return {
    async carry(letters, { deadlineMs }) {
      const prepared = letters.map((letter) => prepare(letter, mapper, clock.now()));
      const groups = [...Map.groupBy(prepared, ({ letter, group }) => group ?? letter.deadLetterId).values()];
      const outcomes = new Map<string, LetterOutcome>();
      await forEachInFlight(groups, CONCURRENT_GROUPS, async (group) => {
        let isStopped = false;
        for (const { letter, next } of group) {
          const outcome: LetterOutcome = isStopped
            ? STOPPED
            : 'kind' in next
              ? next
              : await publish(next, deadlineMs, options);
          isStopped ||= outcome.kind === 'left';
          outcomes.set(letter.deadLetterId, outcome);
        }
      });
      return letters.map(({ deadLetterId }) => outcomes.get(deadLetterId) ?? STOPPED);
    },
    close: () => publisher.close(),
  };
}

interface Prepared {
  letter: DeadLetter;
  group?: string | undefined;
  /** What is to be published, or what became of it before that. */
  next: OutgoingMqttMessage | LetterOutcome;
}

function prepare(letter: DeadLetter, mapper: RocketmqToMqttMapper, nowMs: number): Prepared {
  let group: string | undefined;
  try {
    const received = decodeRocketmqEnvelope(letter.body);
    group = received.messageGroup;
    const outcome = mapper(received, {
      receiptTimeMs: letter.storedAtMs,
      sendTimeMs: nowMs,
      redriven: letter.deadLetterId,
    });
    if (outcome.kind === 'skip') return { letter, group, next: { kind: 'skipped', reason: outcome.reason } };
    return { letter, group, next: outcome.message };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { letter, group, next: failedBy(error) };
  }
}

async function publish(
  message: OutgoingMqttMessage,
  deadlineMs: number,
  {
    publisher,
    ownsTopic,
    clock,
    random,
  }: CarryPulledPorts & { publisher: MqttPublisher; ownsTopic: boolean },
): Promise<LetterOutcome> {
  for (let tries = 1; ; tries += 1) {
    const result = await publisher.publish(message, { deadlineMs, answerMs: ANSWER_MS });
    if (result.status === 'accepted') return { kind: 'carried' };
    const { error } = result;
    const isOwn = error.reaction === 'dead-letter' || (error.scope === 'topic' && ownsTopic);
    if (isOwn) return failedBy(error, message.topicName);
    const waitMs = retryWaitMs(tries, error.waitMs ?? 0, random);
    const isOver = tries === MAX_TRIES || error.reaction === 'hold' || clock.now() + waitMs >= deadlineMs;
    if (isOver) return leftBy(error);
    await clock.sleep(waitMs);
  }
}
