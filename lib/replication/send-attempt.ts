import type { RocketmqMessage } from '../domain/messages/message.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageProducer } from '../ports/message-producer.ts';
import { noAnswer, notMade, type Outcome, outcomeOf, outcomeOfError, unexpected } from './outcome.ts';
import { withTimeout } from './with-timeout.ts';

/** A producer answers by its deadline; one that does not is left after this. */
const ANSWER_GRACE_MS = 250;

export interface SendAttempt {
  rocketmqTopic: string;
  /** How many messages `messages` makes. */
  count: number;
  messages: () => RocketmqMessage[];
  producer: () => Promise<MessageProducer>;
  /** Asked once the producer is there, which may take a while: false, and nothing is sent. */
  maySend?: () => boolean;
  /** Epoch ms by which the producer has to answer. */
  answerByMs: number;
  clock: Pick<Clock, 'now'>;
}

/** One attempt to send; one outcome for each message, whatever happens. Never rejects. */
export async function attemptSend({
  rocketmqTopic,
  count,
  messages,
  producer,
  maySend = () => true,
  answerByMs,
  clock,
}: SendAttempt): Promise<Outcome[]> {
  try {
    const batch = messages();
    const send = async () => {
      const made = await producer();
      if (!maySend()) throw notMade();
      return made.send(rocketmqTopic, batch, { deadlineMs: answerByMs });
    };
    const answers: unknown = await withTimeout(send(), answerByMs + ANSWER_GRACE_MS - clock.now());
    if (answers === undefined) return repeated(count, outcomeOfError(noAnswer()));
    const results = Array.isArray(answers) && answers.length === count ? answers : [];
    return Array.from({ length: count }, (_, index) => outcomeOf(results[index]));
  } catch (error) {
    const outcome = outcomeOfError(error);
    // What kept the whole send from beginning is no message's fault.
    const shared: Outcome =
      outcome.kind === 'dead-letter' ? { kind: 'retry', error: unexpected(error) } : outcome;
    return repeated(count, shared);
  }
}

function repeated(count: number, outcome: Outcome): Outcome[] {
  return Array.from({ length: count }, () => outcome);
}
