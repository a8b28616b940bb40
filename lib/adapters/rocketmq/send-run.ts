import { setImmediate } from 'node:timers/promises';
import { type BridgeError, BrokerUnavailableError, GroupStoppedError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { SendResult } from '../../ports/message-producer.ts';
import { type Attempt, sendHalving, splitIntoBatches } from './batching.ts';
import { failedOutcome, type Outgoing, type RequestOutcome } from './send-request.ts';

/** Enough to keep proxy and broker busy; more only queues there. */
const BATCHES_IN_FLIGHT = 4;
const SINGLES_IN_FLIGHT = 64;
const GROUPS_IN_FLIGHT = 64;

/** After these nothing more is begun in this call: the cluster is away, or time is up. */
const HALTING_CODES: ReadonlySet<string> = new Set([
  'TARGET_TIMEOUT',
  'TARGET_UNREACHABLE',
  'TARGET_UNAVAILABLE',
  'DEADLINE_PASSED',
]);

export type RequestSender = (batch: readonly Outgoing[], type: 'NORMAL' | 'FIFO') => Promise<RequestOutcome>;

/** One call of `send`: its results as they come, and why nothing more is begun. */
export class SendRun {
  /** In the order of the caller's messages. What was never begun stays failed. */
  readonly results: SendResult[];
  readonly #request: RequestSender;
  #halt: BridgeError | undefined;

  constructor(messages: number, request: RequestSender) {
    const error = new BrokerUnavailableError('sending to RocketMQ: not begun', { code: 'NOT_SENT' });
    this.results = Array.from({ length: messages }, () => ({ status: 'failed', error }));
    this.#request = request;
  }

  fail({ index }: Outgoing, error: BridgeError): void {
    this.results[index] = { status: 'failed', error };
  }

  /** NORMAL messages, many in a request. Answers true when the cluster turned out to take no batches. */
  async batches(outgoing: readonly Outgoing[]): Promise<boolean> {
    let noBatches = false;
    // One batch leaves before the next is encoded: the cluster works on it meanwhile.
    let begun: Promise<void> = Promise.resolve();
    await forEachInFlight(
      splitIntoBatches(outgoing, ({ bytes }) => bytes),
      BATCHES_IN_FLIGHT,
      async (batch) => {
        const turn = begun;
        begun = turn.then(() => setImmediate());
        await turn;
        if (await sendHalving(batch, (part) => this.#attempt(part, 'NORMAL'))) noBatches = true;
      },
    );
    return noBatches;
  }

  /** NORMAL messages, one in a request. */
  async singles(outgoing: readonly Outgoing[]): Promise<void> {
    await forEachInFlight(outgoing, SINGLES_IN_FLIGHT, async (one) => {
      await this.#attempt([one], 'NORMAL');
    });
  }

  /** FIFO messages: each group in order, stopped by its first failure; groups side by side. */
  async groups(outgoing: readonly Outgoing[]): Promise<void> {
    const groups = Map.groupBy(outgoing, ({ message }) => message.messageGroup);
    await forEachInFlight([...groups.values()], GROUPS_IN_FLIGHT, (group) => this.#inOrder(group));
  }

  async #inOrder(group: readonly Outgoing[]): Promise<void> {
    let first: BridgeError | undefined;
    for (const one of group) {
      if (first !== undefined) {
        this.fail(one, stoppedBy(first));
        continue;
      }
      if (one.invalid === undefined) await this.#attempt([one], 'FIFO');
      else this.fail(one, one.invalid);
      const result = this.results[one.index];
      if (result?.status === 'failed') first = result.error;
    }
  }

  async #attempt(batch: readonly Outgoing[], type: 'NORMAL' | 'FIFO'): Promise<Attempt> {
    const { attempt, results } =
      this.#halt === undefined ? await this.#request(batch, type) : failedOutcome(batch, unsent(this.#halt));
    for (const [position, { index }] of batch.entries()) {
      const result = results[position];
      if (result === undefined) continue;
      this.results[index] = result;
      if (result.status === 'failed' && halts(result.error)) this.#halt ??= result.error;
    }
    return attempt;
  }
}

function halts({ reaction, scope, code }: BridgeError): boolean {
  // A batch that the cluster cannot take says nothing about its messages sent one by one.
  if (code === 'TARGET_UNSUPPORTED') return false;
  return reaction === 'throttle' || (reaction === 'hold' && scope !== 'message') || HALTING_CODES.has(code);
}

/** The same reason for a message that was not even tried: it is surely not stored. */
function unsent(halt: BridgeError): BridgeError {
  if (!halt.maybeStored) return halt;
  return new BrokerUnavailableError('sending to RocketMQ: not begun, because another request failed', {
    code: halt.code,
    cause: halt,
  });
}

function stoppedBy(cause: BridgeError): BridgeError {
  return new GroupStoppedError(
    'sending to RocketMQ: not begun, because an earlier message of the message group failed',
    { cause },
  );
}
