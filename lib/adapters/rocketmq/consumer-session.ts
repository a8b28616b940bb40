import { BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Subscription } from '../../ports/message-consumer.ts';
import type { ClusterLink } from './cluster-link.ts';
import type { Duplex } from './connection.ts';
import { decodeAnswerStatus, decodeTelemetry, type TelemetrySaid } from './consumer-answers.ts';
import { encodeHeartbeat, encodeSettings, encodeTermination } from './consumer-requests.ts';
import { consumerClosed, errorOfCall, errorOfStatus } from './errors.ts';
import { STATUS_OK } from './wire.ts';

/** A proxy that has just been started takes seconds, with the connection that may have to be made. */
const SETTINGS_TIMEOUT_MS = 5_000;
const HEARTBEAT_INTERVAL_MS = 10_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;
const TERMINATION_TIMEOUT_MS = 1_000;
/** Proxies forget a client some 120 s after its last heartbeat; a frozen process sends none. */
const MAX_SILENT_MS = 60_000;
/** What we tell the proxy about our patience; each receive says its own. */
const REQUEST_TIMEOUT_MS = 5_000;

export interface ConsumerSessionOptions {
  link: ClusterLink;
  /** host:port of the proxy. */
  endpoint: string;
  clientId: string;
  subscription: Subscription;
  clock: Clock;
}

/** What the proxy said to our settings. */
export interface SessionSettings {
  /** Whether the consumer group keeps the order of FIFO queues. */
  isOrderlyGroup: boolean;
}

/**
 * That one proxy knows this consumer: a proxy hands messages only to a client whose settings it has. They are sent on a stream
 * that stays open, kept by a heartbeat every 10 s, and sent anew after a silence of 60 s or when the stream has ended. The
 * heartbeat's timer keeps no process alive; the open stream does.
 */
export class ConsumerSession {
  readonly #options: ConsumerSessionOptions;
  #introduction: { stream: Duplex; settings: Promise<SessionSettings> } | undefined;
  #heardMs = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ConsumerSessionOptions) {
    this.#options = options;
  }

  /** Resolves when the proxy knows the settings; rejects with a `BridgeError`, at the latest after 5 s. */
  introduce(): Promise<SessionSettings> {
    if (this.#closed) return Promise.reject(consumerClosed());
    const isSilent = this.#options.clock.now() - this.#heardMs > MAX_SILENT_MS;
    if (this.#introduction !== undefined && isSilent) this.forget();
    this.#introduction ??= this.#begin();
    return this.#introduction.settings;
  }

  /** The proxy answered a call of this consumer. */
  heard(): void {
    this.#heardMs = this.#options.clock.now();
  }

  /** The proxy does not know us any more, or may not: the settings are sent again before the next receive. */
  forget(): void {
    const stream = this.#introduction?.stream;
    this.#introduction = undefined;
    stream?.cancel();
  }

  /** Ends here, while the same client goes on over other connections. */
  leave(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.forget();
  }

  /** Says farewell, for at most a second, so that the proxy hands nothing more to a consumer that is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#introduction === undefined) return this.leave();
    const { link, endpoint, clientId, subscription, clock } = this.#options;
    const farewell = encodeTermination(subscription, link.namespace);
    const deadlineMs = clock.now() + TERMINATION_TIMEOUT_MS;
    await link.proxies
      .unary(endpoint, 'NotifyClientTermination', farewell, { deadlineMs, clientId })
      // A courtesy: the proxy finds out by the missing heartbeats.
      .catch(() => undefined);
    this.leave();
  }

  #begin() {
    this.heard();
    this.#heartbeat ??= setInterval(() => void this.#beat(), HEARTBEAT_INTERVAL_MS).unref();
    const { link, endpoint, clientId, subscription } = this.#options;
    const answered = Promise.withResolvers<SessionSettings>();
    const stream = link.proxies.duplex(endpoint, 'Telemetry', clientId);
    const introduction = { stream, settings: answered.promise };
    const late = setTimeout(() => {
      answered.reject(
        new BrokerUnavailableError('introducing a consumer to RocketMQ: no answer in time', {
          code: 'TARGET_TIMEOUT',
        }),
      );
      // A flow dropped without a sign looks like this, and only calls notice by themselves.
      link.proxies.renew(endpoint);
    }, SETTINGS_TIMEOUT_MS);
    const end = (error: unknown) => {
      answered.reject(errorOfCall(error, 'settings'));
      if (this.#introduction === introduction) this.#introduction = undefined;
    };
    stream.on('data', (bytes: Buffer) => {
      try {
        this.#take(decodeTelemetry(bytes), answered);
      } catch (error) {
        end(error);
      }
    });
    // For ever: a stream may err after its end, and an error without a listener ends the process.
    stream.on('error', end);
    stream.on('end', () =>
      end(new BrokerUnavailableError('introducing a consumer to RocketMQ: the proxy ended the stream')),
    );
    answered.promise.then(
      () => clearTimeout(late),
      () => {
        clearTimeout(late);
        if (this.#introduction === introduction) this.#introduction = undefined;
        stream.cancel();
      },
    );
    stream.write(
      encodeSettings(subscription, link.namespace, { endpoint, requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    );
    return introduction;
  }

  #take(said: TelemetrySaid, answered: PromiseWithResolvers<SessionSettings>): void {
    if (said.kind === 'settings') answered.resolve(said);
    else if (said.kind === 'reconnect') this.forget();
    else if (said.kind === 'refused' && said.status.code !== STATUS_OK) {
      answered.reject(errorOfStatus(said.status.code, said.status.text, 'settings'));
    }
  }

  /** Sends a heartbeat, where the proxy knows us; false: nothing came back within this time, or the connection is lost. */
  async isAnswered(timeoutMs: number): Promise<boolean> {
    const late = Promise.withResolvers<false>();
    const timer = setTimeout(() => late.resolve(false), timeoutMs);
    // Not by the call's deadline, which would end the connection of a proxy that is merely slow.
    return Promise.race([this.#beat(), late.promise]).finally(() => clearTimeout(timer));
  }

  async #beat(): Promise<boolean> {
    if (this.#introduction === undefined) return true;
    const { link, endpoint, clientId, subscription, clock } = this.#options;
    try {
      const request = encodeHeartbeat(subscription, link.namespace);
      const deadlineMs = clock.now() + HEARTBEAT_TIMEOUT_MS;
      const answer = await link.proxies.unary(endpoint, 'Heartbeat', request, { deadlineMs, clientId });
      if (decodeAnswerStatus(answer).code === STATUS_OK) this.heard();
      else this.forget();
      return true;
    } catch {
      // The next receive meets the same and says so; a lost connection takes the stream with it.
      return false;
    }
  }
}
