import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { errorOfRow, errorRow, ROCKETMQ_STATUSES } from '../../domain/errors/error-table.ts';
import { BridgeError, BrokerHoldError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import { checkMessage } from '../../domain/messages/checked-message.ts';
import type { RocketmqMessage } from '../../domain/messages/message.ts';
import type { MessageProducer, SendOptions, SendResult } from '../../ports/message-producer.ts';
import { type ClusterLink, type ClusterLinkOptions, createClusterLink } from './cluster-link.ts';
import { createMessageIds, type MessageIds } from './message-id.ts';
import type { TopicRoute } from './routes.ts';
import { createSendMessageEncoder, type SendMessageEncoder } from './send-message-encoder.ts';
import { failedOutcome, type Outgoing, type RequestOutcome, sendRequest } from './send-request.ts';
import { SendRun } from './send-run.ts';

/** A proxy waits 2 s for its broker; beyond that and some network an answer does not come any more. */
const REQUEST_TIMEOUT_MS = 4_000;
const MAX_ENCODERS = 500;
/** `MESSAGE_PROPERTY_CONFLICT_WITH_TYPE`, which the cluster would answer. */
const STATUS_TYPE_MISMATCH = 40_014;

export interface RocketmqProducerOptions extends ClusterLinkOptions {
  multiMessage: RocketmqClusterRecord['multiMessage'];
  /** Longest wait for the answer to one request; 5 s without it. */
  requestTimeoutMs?: number;
}

/**
 * Sends messages to one RocketMQ 5 cluster over gRPC. Holds connections, routes and encoders; nothing of it keeps a
 * process alive while no send is in progress.
 */
export class RocketmqProducer implements MessageProducer {
  readonly #options: RocketmqProducerOptions;
  readonly #link: ClusterLink;
  readonly #nextMessageId: MessageIds;
  readonly #encoders = new Map<string, SendMessageEncoder>();
  #batchesWanted: boolean;
  #turn = 0;
  #closed = false;

  constructor(options: RocketmqProducerOptions) {
    const { clock } = options;
    this.#options = options;
    this.#batchesWanted = options.multiMessage !== 'off';
    this.#nextMessageId = createMessageIds(() => clock.now());
    this.#link = createClusterLink(options);
  }

  async send(
    rocketmqTopic: string,
    messages: readonly RocketmqMessage[],
    { deadlineMs }: SendOptions,
  ): Promise<SendResult[]> {
    if (this.#closed) throw new Error('the producer is closed');
    const outgoing = messages.map((message, index) => this.#outgoing(rocketmqTopic, message, index));
    if (outgoing.length === 0) return [];
    const route = await this.#route(rocketmqTopic, deadlineMs);
    if (route instanceof BridgeError) return outgoing.map(({ invalid }) => failed(invalid ?? route));

    const run = new SendRun(messages.length, (batch, type) => {
      return this.#request(rocketmqTopic, route, batch, type, deadlineMs);
    });
    await this.#sendAll(run, route, outgoing);
    if (run.results.some((result) => result.status === 'failed' && result.error.scope === 'topic')) {
      this.#link.routes.forget(rocketmqTopic);
    }
    return run.results;
  }

  async check(rocketmqTopic: string, deadlineMs: number): Promise<void> {
    if (this.#closed) throw new Error('the producer is closed');
    const route = await this.#route(rocketmqTopic, deadlineMs);
    if (route instanceof BridgeError) throw route;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link.close();
  }

  async #sendAll(run: SendRun, route: TopicRoute, outgoing: readonly Outgoing[]): Promise<void> {
    const fifo: Outgoing[] = [];
    const normal: Outgoing[] = [];
    for (const one of outgoing) {
      const type = one.message.messageGroup === undefined ? 'NORMAL' : 'FIFO';
      if (!accepts(route, type)) run.fail(one, one.invalid ?? typeMismatch(route, type));
      else if (type === 'FIFO') fifo.push(one);
      else if (one.invalid === undefined) normal.push(one);
      else run.fail(one, one.invalid);
    }
    await Promise.all([run.groups(fifo), this.#sendNormal(run, normal)]);
  }

  async #sendNormal(run: SendRun, outgoing: readonly Outgoing[]): Promise<void> {
    if (!this.#batchesWanted) return run.singles(outgoing);
    const noBatches = await run.batches(outgoing);
    if (noBatches && this.#options.multiMessage === 'auto') this.#batchesWanted = false;
  }

  async #request(
    rocketmqTopic: string,
    route: TopicRoute,
    batch: readonly Outgoing[],
    type: 'NORMAL' | 'FIFO',
    deadlineMs: number,
  ): Promise<RequestOutcome> {
    const { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.#options;
    const now = clock.now();
    if (now >= deadlineMs) return failedOutcome(batch, deadlinePassed());
    const endpoint = this.#endpointOf(route, type === 'FIFO' ? batch[0]?.message.messageGroup : undefined);
    return sendRequest({
      batch,
      type,
      encode: this.#encoderOf(rocketmqTopic),
      bornTimeMs: now,
      call: (request) =>
        this.#link.proxies.unary(endpoint, 'SendMessage', request, {
          deadlineMs: Math.min(deadlineMs, now + requestTimeoutMs),
        }),
    });
  }

  /** Where several proxies are (one in each broker), NORMAL requests take turns, and a message group stays with one. */
  #endpointOf({ endpoints }: TopicRoute, messageGroup: string | undefined): string {
    if (messageGroup === undefined) this.#turn += 1;
    const place = messageGroup === undefined ? this.#turn : hash(messageGroup);
    return endpoints[place % endpoints.length] ?? this.#options.endpoint;
  }

  #encoderOf(rocketmqTopic: string): SendMessageEncoder {
    const encoder =
      this.#encoders.get(rocketmqTopic) ?? createSendMessageEncoder(rocketmqTopic, this.#options.namespace);
    keepRecent(this.#encoders, rocketmqTopic, encoder, MAX_ENCODERS);
    return encoder;
  }

  async #route(rocketmqTopic: string, deadlineMs: number): Promise<TopicRoute | BridgeError> {
    if (this.#options.clock.now() >= deadlineMs) return deadlinePassed();
    try {
      const route = await this.#link.routes.routeOf(rocketmqTopic, deadlineMs);
      if (route.endpoints.length > 0) return route;
      this.#link.routes.forget(rocketmqTopic);
      return notWritable(rocketmqTopic);
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
  }

  #outgoing(rocketmqTopic: string, message: RocketmqMessage, index: number): Outgoing {
    if (message.rocketmqTopic !== rocketmqTopic) {
      throw new TypeError(
        `a message of topic ${message.rocketmqTopic} was given to a send to ${rocketmqTopic}`,
      );
    }
    const messageId = this.#nextMessageId();
    const checked = checkMessage(message);
    return checked instanceof BridgeError
      ? { index, message, messageId, bytes: 0, invalid: checked }
      : { index, message: checked, messageId, bytes: checked.encodedBytes };
  }
}

function failed(error: BridgeError): SendResult {
  return { status: 'failed', error };
}

function notWritable(rocketmqTopic: string): BridgeError {
  return new BrokerHoldError(`querying the route: topic ${rocketmqTopic} has no writable queue`, {
    code: 'TOPIC_NOT_WRITABLE',
    scope: 'topic',
    hint: 'Give the topic write permission and at least one write queue on the cluster.',
  });
}

/** A topic of unspecified type is left to the cluster's judgement. */
function accepts({ accepts: types }: TopicRoute, type: 'NORMAL' | 'FIFO'): boolean {
  return types.has(type) || types.has('MESSAGE_TYPE_UNSPECIFIED') || types.size === 0;
}

function typeMismatch({ accepts: types }: TopicRoute, type: 'NORMAL' | 'FIFO'): BridgeError {
  const given = type === 'FIFO' ? 'a message with a message group' : 'a message without a message group';
  const row = errorRow(ROCKETMQ_STATUSES, STATUS_TYPE_MISMATCH, '');
  return errorOfRow(row, `the topic takes ${[...types].join(', ')} messages, and this is ${given}`);
}

function deadlinePassed(): BridgeError {
  return new BrokerUnavailableError('sending to RocketMQ: no time is left', { code: 'DEADLINE_PASSED' });
}

/** FNV-1a, 32 bits: which proxy a message group belongs to, the same in every process. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
