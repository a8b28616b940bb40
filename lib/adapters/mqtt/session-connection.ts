import { setTimeout as delay } from 'node:timers/promises';
import type { IClientOptions, IConnackPacket, MqttClient } from 'mqtt';
import { BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { withShare } from '../../domain/topics/topic-filter-syntax.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttSession, SessionOptions } from '../../ports/mqtt-session.ts';
import type { MqttProtocolVersion } from './client-options.ts';
import { errorOfOpening } from './connection.ts';
import {
  abandoned,
  closedSilently,
  errorOfConnection,
  errorOfReason,
  isClosedSilently,
  takenOverByStray,
} from './errors.ts';
import { createSessionClient } from './session-client.ts';
import { type PublishContext, readPublish } from './session-publish.ts';
import type { SessionStream } from './session-stream.ts';
import { filterIndexes, subscribe, unsubscribe } from './session-subscriptions.ts';
import { HeldDelivery, SessionWindow } from './session-window.ts';
import { SilenceWatch } from './silence-watch.ts';

/** How long a DISCONNECT may take before the connection is cut: the session stays either way. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Where and how to connect. */
export interface SessionAddress {
  url: string;
  options: IClientOptions;
  protocolVersion: MqttProtocolVersion;
  /** Whether an earlier attempt of ours may still come through. */
  hasStray?: () => boolean;
}

/** One connection to a broker's session. */
export class SessionConnection implements MqttSession {
  readonly protocolVersion: MqttProtocolVersion;
  readonly #options: SessionOptions;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #client: MqttClient;
  readonly #window: SessionWindow;
  readonly #context: PublishContext;
  #stream: SessionStream | undefined;
  #connack: IConnackPacket | undefined;
  /** Why the broker ends the connection, by its DISCONNECT, or what broke it. */
  #reason: BridgeError | undefined;
  #isReset = false;
  readonly #silence: SilenceWatch;
  #pings: NodeJS.Timeout | undefined;
  #isTaking: boolean;
  /** `onClosed` is owed: opened, and neither told to stop nor closed. */
  #isWatched = false;

  constructor(address: SessionAddress, options: SessionOptions, clock: Pick<Clock, 'now'>) {
    const { protocolVersion } = address;
    this.protocolVersion = protocolVersion;
    this.#options = options;
    this.#clock = clock;
    this.#context = { protocolVersion, filterIndexes: filterIndexes(options.topicFilters) };
    this.#window = new SessionWindow({
      maxPendingBytes: options.maxPendingBytes,
      write: (bytes) => this.#stream?.write(bytes),
      hold: () => this.#hold(),
      release: () => this.#release(),
    });
    this.#client = createSessionClient(
      address.url,
      address.options,
      (bytes, start, bodyStart, end) => this.#take(bytes, start, bodyStart, end),
      (stream) => {
        this.#stream = stream;
        // MQTT.js only sees that the stream is gone.
        stream.once('error', (error) => {
          if (error instanceof BridgeError) this.#reason ??= error;
        });
      },
    );
    this.#silence = new SilenceWatch({
      ping: () => this.#ping(),
      onSilent: () => {
        this.#reason ??= silent();
        this.#stream?.destroy();
      },
      clock,
    });
    this.#client.on('packetreceive', () => this.#silence.heard());
    this.#isTaking = options.isLeaving !== true;
    options.signal?.addEventListener('abort', this.#abandon, { once: true });
    this.#client.on('close', () => this.#onClose());
    this.#client.on('error', (error) => {
      if (isClosedSilently(error)) this.#isReset = true;
      else this.#reason ??= errorOfConnection(error);
      // MQTT.js leaves the connection open after a packet that it cannot read.
      this.#stream?.destroy();
    });
    this.#client.on('disconnect', ({ reasonCode }) => {
      const reason = errorOfReason('disconnect', reasonCode ?? 0);
      const isStray = reason.code === 'CLIENT_ID_TAKEN' && address.hasStray?.() === true;
      this.#reason = isStray ? takenOverByStray() : reason;
      this.#stream?.destroy();
    });
  }

  get isResumed(): boolean {
    return this.#connack?.sessionPresent === true;
  }

  readonly #abandon = () => void this.giveUp(abandoned());

  /** Resolves with CONNACK; throws a `BridgeError`, by `errorOfOpening`. */
  async connect(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<IConnackPacket>();
    this.#client.once('connect', resolve);
    this.#client.once('error', reject);
    this.#client.once('close', reject);
    try {
      this.#client.connect();
      this.#connack = await promise;
      this.#silence.start();
    } catch (failure) {
      await this.close();
      throw this.#options.signal?.aborted === true ? abandoned() : errorOfOpening(failure);
    }
  }

  /** Makes the session's subscriptions what the options say; from now on `onClosed` is told. Throws a `BridgeError`. */
  async prepare(): Promise<void> {
    const { removedTopicFilters, mustSubscribe, isLeaving } = this.#options;
    const subscribes = isLeaving !== true && (!this.isResumed || mustSubscribe);
    const unsubscribes = this.isResumed && removedTopicFilters.length > 0;
    try {
      if (subscribes || unsubscribes) await this.#options.beforeSubscribing?.();
      // First of all: what old and new filters both match must not miss a moment.
      if (subscribes) {
        const { subscriptionIdentifiersAvailable } = this.#connack?.properties ?? {};
        await subscribe(this.#client, this.#options, {
          withIdentifiers: this.protocolVersion === 5 && subscriptionIdentifiersAvailable !== false,
        });
      }
      if (unsubscribes) await unsubscribe(this.#client, removedTopicFilters);
      if (!this.#client.connected) throw errorOfConnection(undefined);
    } catch (error) {
      await this.close();
      throw this.#reason ?? error;
    }
    this.#options.signal?.removeEventListener('abort', this.#abandon);
    this.#isWatched = true;
  }

  /** Ends a connection that is of no use; what is under way fails with this error. */
  async giveUp(error: BridgeError): Promise<void> {
    this.#reason ??= error;
    await this.close();
  }

  stopTaking(): void {
    this.#isTaking = false;
    this.#isWatched = false;
    // What the broker had to say may stand behind messages: read on, and leave those to the next connection.
    this.#release();
  }

  async unsubscribe(): Promise<void> {
    const { topicFilters, shareName } = this.#options;
    await unsubscribe(
      this.#client,
      topicFilters.map((topicFilter) => withShare(topicFilter, shareName)),
    );
  }

  /** Sends what may be acknowledged, then DISCONNECT. The session stays. */
  async close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abandon);
    this.#isTaking = false;
    this.#isWatched = false;
    if (this.#client.connected) this.#window.flush();
    this.#window.close();
    this.#release();
    this.#silence.stop();
    if (this.#stream === undefined) return;
    // Not by DISCONNECT when an answer is missing: MQTT.js would wait for it first.
    const isForced = !this.#client.connected || Object.keys(this.#client.outgoing).length > 0;
    const timeout = new AbortController();
    const end = this.#client.endAsync(isForced).finally(() => timeout.abort());
    await Promise.race([end, delay(CLOSE_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {})]);
    this.#stream.destroy();
  }

  #take(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    // Not acknowledged, so the broker keeps it for the session's next connection.
    if (!this.#isTaking) return;
    this.#silence.heard();
    const publish = readPublish(bytes, start, bodyStart, end, this.#context);
    const number = this.#window.add(publish);
    if (number === undefined) return;
    const isRetained = publish.retain && this.protocolVersion === 4;
    const receivedAtMs = this.#clock.now();
    this.#options.onDelivery(new HeldDelivery(this.#window, number, publish, { isRetained, receivedAtMs }));
  }

  /** While the connection is not read no PINGRESP is either; so we ping for the broker's sake, and expect no answer. */
  #hold(): void {
    this.#stream?.hold();
    this.#silence.stop();
    const everyMs = ((this.#client.options.keepalive ?? 0) * 1_000) / 3;
    if (everyMs === 0 || this.#pings !== undefined) return;
    this.#pings = setInterval(() => this.#ping(), everyMs);
  }

  #ping(): void {
    if (!this.#client.connected) return;
    this.#client.sendPing();
    this.#client.reschedulePing(true);
  }

  #release(): void {
    clearInterval(this.#pings);
    this.#pings = undefined;
    this.#stream?.release();
    if (this.#client.connected) this.#silence.start();
  }

  #onClose(): void {
    this.#window.close();
    this.#release();
    this.#silence.stop();
    this.#isTaking = false;
    if (!this.#isWatched) return;
    this.#isWatched = false;
    const { protocolVersion } = this;
    this.#options.onClosed(this.#reason ?? closedSilently({ protocolVersion, isReset: this.#isReset }));
  }
}

function silent(): BridgeError {
  return new BrokerUnavailableError('the MQTT broker has fallen silent: not even a ping is answered', {
    code: 'TARGET_TIMEOUT',
  });
}
