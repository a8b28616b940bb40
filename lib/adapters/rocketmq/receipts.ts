import { type BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { forEachInFlight } from '../../domain/for-each-in-flight.ts';
import type { AckResult, ReceivedMessage, Subscription } from '../../ports/message-consumer.ts';
import type { ClusterLink } from './cluster-link.ts';
import type { UnaryMethod } from './connection.ts';
import { decodeAckEntries, decodeAnswerStatus, decodeChangeInvisible } from './consumer-answers.ts';
import { encodeAckRequest, encodeChangeInvisibleRequest } from './consumer-requests.ts';
import { errorOfCall, errorOfStatus } from './errors.ts';
import { changedReceiptHandle } from './receipt-handle.ts';
import { STATUS_OK, type WireStatus } from './wire.ts';

const CHANGES_IN_FLIGHT = 16;
const STATUS_MULTIPLE_RESULTS = 30_000;
/** `INVALID_RECEIPT_HANDLE`: also what an expired one is called. */
const STATUS_INVALID_RECEIPT = 40_013;

/** Where and as whom receipts are given back. */
export interface ReceiptCalls {
  link: ClusterLink;
  subscription: Subscription;
  /** host:port of the proxy before a broker. */
  endpointOf(brokerName: string): string;
  /** One call, with client id; all of them by one deadline. */
  call(endpoint: string, method: UnaryMethod, request: Buffer): Promise<Buffer>;
}

/**
 * Acknowledges messages, one request for each proxy. Puts the results in as they come, and rejects with the `BridgeError` of
 * a request that failed as a whole.
 */
export async function acknowledge(
  { link, subscription, endpointOf, call }: ReceiptCalls,
  messages: readonly ReceivedMessage[],
  results: Map<ReceivedMessage, AckResult>,
): Promise<void> {
  const parts = [...Map.groupBy(messages, ({ brokerName }) => endpointOf(brokerName))];
  await forEachInFlight(parts, parts.length, async ([endpoint, part]) => {
    const request = encodeAckRequest(subscription, link.namespace, part);
    const answer = await call(endpoint, 'AckMessage', request).catch((error: unknown) => {
      throw errorOfCall(error, 'ack');
    });
    putResults(part, answer, results);
  });
}

/**
 * Adds the messages that stay ours to `changed`. Brokers are asked side by side: one that is dead delays no other. Rejects when
 * the credentials are refused.
 */
export async function changeInvisible(
  { link, subscription, endpointOf, call }: ReceiptCalls,
  messages: readonly ReceivedMessage[],
  invisibleDurationMs: number,
  changed: Set<ReceivedMessage>,
): Promise<void> {
  const namespace = link.namespace;
  let refused: BridgeError | undefined;

  async function change(message: ReceivedMessage): Promise<void> {
    if (refused !== undefined) return;
    const request = encodeChangeInvisibleRequest(subscription, namespace, message, invisibleDurationMs);
    try {
      const answer = await call(endpointOf(message.brokerName), 'ChangeInvisibleDuration', request);
      const { status, receiptHandle } = decodeChangeInvisible(answer);
      if (status.code !== STATUS_OK) throw errorOfStatus(status.code, status.text, 'ack');
      message.receiptHandle = changedReceiptHandle(receiptHandle);
      changed.add(message);
    } catch (cause) {
      const error = errorOfCall(cause, 'ack');
      if (error.code === 'CREDENTIALS_REFUSED') refused = error;
    }
  }

  const parts = [...Map.groupBy(messages, ({ brokerName }) => endpointOf(brokerName)).values()];
  await forEachInFlight(parts, parts.length, (part) => forEachInFlight(part, CHANGES_IN_FLIGHT, change));
  if (refused !== undefined) throw refused;
}

/** The status of the answer counts for all of its messages, unless it says that they differ. */
function putResults(
  messages: readonly ReceivedMessage[],
  answer: Buffer,
  results: Map<ReceivedMessage, AckResult>,
): void {
  const status = decodeAnswerStatus(answer);
  const entries = status.code === STATUS_MULTIPLE_RESULTS ? decodeAckEntries(answer) : undefined;
  for (const message of messages) {
    results.set(message, ackResult(entries === undefined ? status : entries.get(message.receiptHandle)));
  }
}

function ackResult(status: WireStatus | undefined): AckResult {
  if (status === undefined) {
    const error = new BrokerUnavailableError('acknowledging to RocketMQ: no result came for a message', {
      code: 'TARGET_RESULTS_UNCLEAR',
    });
    return { status: 'failed', error };
  }
  if (status.code === STATUS_OK) return { status: 'acked' };
  if (status.code === STATUS_INVALID_RECEIPT) return { status: 'expired' };
  return { status: 'failed', error: errorOfStatus(status.code, status.text, 'ack') };
}
