import type { BridgeError } from '../../domain/errors/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageConsumer, ReceivedMessage } from '../../ports/message-consumer.ts';
import type { HeldMessages } from './held-messages.ts';
import type { PullCounts } from './pull-counts.ts';

/** Requests under way; what is settled meanwhile goes with the next. More would be small ones, each of which costs the cluster. */
const MAX_CALLS = 2;
/** An acknowledgement that got no answer is asked for again at once; after that the message comes again. */
const MAX_TRIES = 3;
/** A round of acknowledgements waits for so many at most. */
const MAX_MESSAGES = 256;

/** Acknowledges settled messages. What cannot be acknowledged comes again: a duplicate. */
export interface Acknowledger {
  /** Goes out as soon as a request is free, with whatever else is settled by then. */
  add(message: ReceivedMessage): void;
  /** One request for these alone, in this order. */
  now(messages: readonly ReceivedMessage[]): Promise<void>;
  /** Resolves when everything added so far was answered. */
  settled(): Promise<void>;
  /** Tells each time that something was answered: there may be room for more. */
  onAnswered(tell: () => void): void;
}

export function createAcknowledger({
  consumer,
  held,
  counts,
  isOurs,
  onFailed,
  logger,
}: {
  consumer: Pick<MessageConsumer, 'ack'>;
  held: HeldMessages;
  counts: PullCounts;
  isOurs(): boolean;
  /** A request did not go through: while a lane is full, nothing else is asked of the cluster. */
  onFailed(error: BridgeError): void;
  logger: Logger;
}): Acknowledger {
  const calls = new Set<Promise<void>>();
  let waiting: ReceivedMessage[] = [];
  let isScheduled = false;
  let tellAnswered = () => {};

  /** One request; answers what is to be asked for again. */
  async function ask(messages: readonly ReceivedMessage[]): Promise<ReceivedMessage[]> {
    const results = await consumer.ack(messages);
    const failure = results.find((result) => result.status === 'failed');
    if (failure !== undefined && isOurs()) onFailed(failure.error);
    return messages.filter((message, index) => {
      const status = results[index]?.status;
      if (status !== 'acked' && status !== 'expired') return true;
      held.remove(message);
      if (status === 'expired') counts.lapsed += 1;
      return false;
    });
  }

  async function now(messages: readonly ReceivedMessage[]): Promise<void> {
    let rest = [...messages];
    await held.settle(rest);
    // Once whoever has the lease: the target has them, and of a FIFO topic the next owner gets nothing until their time is over.
    for (let tries = 1; rest.length > 0 && tries <= MAX_TRIES; tries += 1) {
      rest = await ask(rest);
      if (!isOurs()) break;
    }
    if (rest.length === 0) return;
    for (const message of rest) held.remove(message);
    counts.lapsed += rest.length;
    logger.warn('messages not acknowledged: they come again', { messages: rest.length });
  }

  function pump(): void {
    isScheduled = false;
    while (waiting.length > 0 && calls.size < MAX_CALLS) {
      const some = waiting.slice(0, MAX_MESSAGES);
      waiting = waiting.slice(MAX_MESSAGES);
      const call = now(some)
        .catch((error: unknown) => logger.error('acknowledging failed by a fault', { error }))
        .finally(() => {
          calls.delete(call);
          tellAnswered();
          pump();
        });
      calls.add(call);
    }
  }

  return {
    now,
    add(message) {
      waiting.push(message);
      if (isScheduled) return;
      isScheduled = true;
      // What is settled in the same turn goes in one request.
      setImmediate(pump);
    },
    onAnswered(tell) {
      tellAnswered = tell;
    },
    async settled() {
      if (isScheduled) pump();
      while (calls.size > 0) await Promise.all(calls);
    },
  };
}
