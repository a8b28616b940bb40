import type { RocketmqMessage } from '../../domain/message.ts';
import type { MessageProducer, SendOptions, SendResult } from '../../ports/message-producer.ts';

/** What a producer was made from: when any of it has changed, another is needed. */
export interface ProducerOrigin {
  /** Version of the cluster's record. */
  version: number;
  /** Members of the cluster's secret as one text, to compare. Never leaves this process. */
  secret: string;
  madeAtMs: number;
}

/** A producer in use by several: once retired it is closed, but not before the last send has ended. */
export class SharedProducer {
  readonly origin: ProducerOrigin;
  readonly #producer: MessageProducer;
  readonly #retired = Promise.withResolvers<void>();
  #sending = 0;
  #isRetired = false;

  constructor(producer: MessageProducer, origin: ProducerOrigin) {
    this.#producer = producer;
    this.origin = origin;
  }

  async send(
    rocketmqTopic: string,
    messages: readonly RocketmqMessage[],
    options: SendOptions,
  ): Promise<SendResult[]> {
    this.#sending += 1;
    try {
      return await this.#producer.send(rocketmqTopic, messages, options);
    } finally {
      this.#sending -= 1;
      this.#closeWhenDone();
    }
  }

  /** Resolves when it is closed. */
  retire(): Promise<void> {
    this.#isRetired = true;
    this.#closeWhenDone();
    return this.#retired.promise;
  }

  #closeWhenDone(): void {
    if (this.#isRetired && this.#sending === 0) this.#retired.resolve(this.#producer.close());
  }
}
