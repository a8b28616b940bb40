import {
  type BridgeError,
  BrokerUnavailableError,
  PayloadTooLargeError,
} from '../../domain/errors/errors.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { SendResult } from '../../ports/message-producer.ts';
import type { Attempt } from './batching.ts';
import { errorOfCall, errorOfStatus } from './errors.ts';
import type { SendMessageEncoder } from './send-message-encoder.ts';
import { decodeSendMessage, STATUS_OK, type WireStatus } from './wire.ts';

const STATUS_MULTIPLE_RESULTS = 30_000;

/** A message on its way: its place among the caller's messages, its id and its size in a batch. */
export interface Outgoing {
  index: number;
  message: RocketmqMessage;
  messageId: string;
  bytes: number;
  /** Why it must not be sent: our own check found it wrong. */
  invalid?: BridgeError;
}

/** What became of one request, and of each of its messages. */
export interface RequestOutcome {
  attempt: Attempt;
  results: SendResult[];
}

export interface SendRequest {
  batch: readonly Outgoing[];
  type: 'NORMAL' | 'FIFO';
  encode: SendMessageEncoder;
  bornTimeMs: number;
  /** Sends the bytes of a SendMessageRequest, answers those of the response. */
  call(request: Buffer): Promise<Buffer>;
}

/** Sends one SendMessageRequest. Never rejects. */
export async function sendRequest({
  batch,
  type,
  encode,
  bornTimeMs,
  call,
}: SendRequest): Promise<RequestOutcome> {
  try {
    const response = decodeSendMessage(await call(encode(batch, type, bornTimeMs)));
    return outcomeOf(batch, response);
  } catch (error) {
    return failedOutcome(batch, errorOfCall(error, 'send-message'));
  }
}

/** Each message of a request with this error. */
export function failedOutcome(batch: readonly Outgoing[], error: BridgeError): RequestOutcome {
  return { attempt: attemptOf(error), results: batch.map(() => ({ status: 'failed', error })) };
}

/**
 * Proxies of today answer one entry, whose id belongs to no message, for a whole batch: the status of the request is
 * that of all its messages. An entry for each message is taken as such.
 */
function outcomeOf(
  batch: readonly Outgoing[],
  { status, entries }: { status: WireStatus; entries: WireStatus[] },
): RequestOutcome {
  if (status.code === STATUS_OK) return { attempt: 'accepted', results: batch.map(storedResult) };
  if (status.code === STATUS_MULTIPLE_RESULTS)
    return { attempt: 'failed', results: eachResult(batch, entries) };
  return failedOutcome(batch, errorOfStatus(status.code, status.text, 'send-message'));
}

function eachResult(batch: readonly Outgoing[], entries: readonly WireStatus[]): SendResult[] {
  if (entries.length !== batch.length) {
    const error = new BrokerUnavailableError(
      `sending to RocketMQ: ${entries.length} results came for ${batch.length} messages`,
      { code: 'TARGET_RESULTS_UNCLEAR', maybeStored: true },
    );
    return batch.map(() => ({ status: 'failed', error }));
  }
  return batch.map((outgoing, position) => {
    const { code, text } = entries[position] ?? { code: 0, text: '' };
    if (code === STATUS_OK) return storedResult(outgoing);
    return { status: 'failed', error: errorOfStatus(code, text, 'send-message') };
  });
}

function storedResult({ messageId }: Outgoing): SendResult {
  return { status: 'stored', messageId };
}

function attemptOf(error: BridgeError): Attempt {
  if (error.code === 'TARGET_UNSUPPORTED') return 'unsupported';
  if (error.scope !== 'message' || error.reaction !== 'dead-letter') return 'failed';
  return error instanceof PayloadTooLargeError && error.code !== 'PROPERTIES_TOO_LARGE'
    ? 'oversized'
    : 'refused';
}
