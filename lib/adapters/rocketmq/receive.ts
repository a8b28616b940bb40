import { type BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { ReceivedMessage, Subscription } from '../../ports/message-consumer.ts';
import type { ClusterLink } from './cluster-link.ts';
import { encodeReceiveRequest, type ReceiveRequest } from './consumer-requests.ts';
import { errorOfCall, errorOfStatus } from './errors.ts';
import { decodeReceiveAnswer } from './received-message.ts';
import { STATUS_OK, type WireStatus } from './wire.ts';

/** `MESSAGE_NOT_FOUND`: nothing came within the time. */
const STATUS_NOTHING = 40_401;
const STATUS_SERVER_ERROR = 50_001;
/** What a proxy says that does not know the client any more: a null pointer, named after what is missing or not at all. */
const SETTINGS_LOST = /settings|NullPointerException/i;

/** Code of the error of a proxy that does not know us: it heals by sending the settings again. */
export const SETTINGS_LOST_CODE = 'CONSUMER_SETTINGS_LOST';

export interface Receive {
  link: ClusterLink;
  /** host:port of the proxy before the broker. */
  endpoint: string;
  clientId: string;
  subscription: Subscription;
  request: ReceiveRequest;
  deadlineMs: number;
  signal: AbortSignal;
  /** Gets the messages as they come: what came before an error is whole. */
  messages: ReceivedMessage[];
}

/** One ReceiveMessage call. Resolves at its end, or when the signal aborts; rejects with a `BridgeError`. */
export async function receiveOnce(receive: Receive): Promise<void> {
  const { link, endpoint, clientId, subscription, request, deadlineMs, signal, messages } = receive;
  const source = { rocketmqTopic: subscription.rocketmqTopic, brokerName: request.brokerName };
  let failure: BridgeError | undefined;

  const onAnswer = (bytes: Buffer) => {
    if (signal.aborted) return;
    try {
      const answer = decodeReceiveAnswer(bytes, source);
      if (answer?.kind === 'message') messages.push(answer.message);
      else if (answer?.kind === 'status') failure ??= errorOfEnd(answer.status);
    } catch (error) {
      // The others are delivered; this one comes again after its invisible time.
      failure ??= new BrokerUnavailableError('receiving from RocketMQ: an answer cannot be read', {
        code: 'TARGET_RESULTS_UNCLEAR',
        cause: error,
      });
    }
  };
  const bytes = encodeReceiveRequest(subscription, link.namespace, request);
  const options = { deadlineMs, clientId, signal, onAnswer };
  await link.proxies.serverStream(endpoint, 'ReceiveMessage', bytes, options).catch((error: unknown) => {
    throw errorOfCall(error, 'receive');
  });
  if (failure !== undefined) throw failure;
}

function errorOfEnd({ code, text }: WireStatus): BridgeError | undefined {
  if (code === STATUS_OK || code === STATUS_NOTHING) return undefined;
  if (code === STATUS_SERVER_ERROR && SETTINGS_LOST.test(text)) {
    return new BrokerUnavailableError('receiving from RocketMQ: the proxy does not know this consumer', {
      code: SETTINGS_LOST_CODE,
    });
  }
  return errorOfStatus(code, text, 'receive');
}
