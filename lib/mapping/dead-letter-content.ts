import type { DeadLetter } from '../domain/dead-letters/dead-letter.ts';
import { BridgeError } from '../domain/errors/errors.ts';
import type { MqttMessage, RocketmqMessage } from '../domain/messages/message.ts';
import { decodeEnvelope, messageOfEnvelope } from './envelope.ts';
import { parseJson } from './json.ts';
import { decodeRocketmqEnvelope } from './rocketmq-envelope.ts';
import { envelopeOfRuleError, RuleError } from './rule-error.ts';

/** What is in a dead letter. `unreadable`: nothing that we have written, or damaged. */
export type DeadLetterContent =
  | { kind: 'mqtt'; message: MqttMessage }
  | { kind: 'rocketmq'; message: RocketmqMessage & { messageId: string; bornTimeMs: number } }
  | { kind: 'unreadable'; text: string };

/** Reads the message in a dead letter, whichever path it was on. Never throws for what is in it. */
export function readDeadLetter({ origin, taskId, version, body }: DeadLetter): DeadLetterContent {
  try {
    if (origin === 'pull') return { kind: 'rocketmq', message: decodeRocketmqEnvelope(body) };
    const error = origin === 'rule' ? RuleError.safeParse(parseJson(body)) : undefined;
    const text = error?.success ? envelopeOfRuleError(error.data, { taskId, version }) : body;
    const receipt = { recordId: '', receiptTimeMs: 0, sendTimeMs: 0 };
    return { kind: 'mqtt', message: messageOfEnvelope(decodeEnvelope(text), receipt).message };
  } catch (error) {
    if (error instanceof BridgeError) return { kind: 'unreadable', text: body };
    throw error;
  }
}
