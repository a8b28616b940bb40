import { type BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import { checkOutgoingMqttMessage } from '../../domain/messages/mqtt-limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttPublisher, PublishOptions, PublishResult } from '../../ports/mqtt-publisher.ts';
import { checkHost } from '../network/address-guard.ts';
import { BackOff } from './back-off.ts';
import { type MqttAddress, mqttClientOptions } from './client-options.ts';
import { ConnectPatience } from './connect-patience.ts';
import { type BrokerConnection, type ConnectionEvents, openConnection } from './connection.ts';
import { Deadlines } from './deadlines.ts';
import { errorOfConnection, takenOverByStray } from './errors.ts';
import { InFlight, type Outgoing } from './in-flight.ts';
import type { MqttSecret } from './mqtt-secret.ts';
import { ProtocolChoice } from './protocol-choice.ts';
import { WaitingLine } from './waiting-line.ts';

export interface MqttBrokerPublisherOptions {
  cluster: MqttAddress;
  secret: MqttSecret;
  clientId: string;
  clock: Clock;
}

/** Node's longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const IGNORED: ConnectionEvents = { onOpen() {}, onPacket() {}, onRoom() {}, onClosed() {} };

/**
 * Publishes to one broker over one connection, which is opened when something asks for it and opened anew, with back-off, only
 * when something asks again. Keeps to what the broker allows: Receive Maximum, Maximum Packet Size, Maximum QoS (a higher QoS
 * is lowered to it), Retain Available. Over MQTT 3.1.1 the properties of MQTT 5 are dropped.
 */
export class MqttBrokerPublisher implements MqttPublisher {
  readonly #options: MqttBrokerPublisherOptions;
  readonly #protocol = new ProtocolChoice();
  readonly #backOff = new BackOff();
  #attemptBeganMs = 0;
  readonly #patience = new ConnectPatience();
  readonly #line = new WaitingLine<Outgoing>();
  readonly #deadlines: Deadlines;
  readonly #closing = new AbortController();
  #inFlight: InFlight | undefined;
  #connecting: Promise<BridgeError | undefined> | undefined;
  #connectError: BridgeError | undefined;
  /** Messages that leave one at a time: the broker closed the connection over one of so many, and did not say which. */
  #suspects = 0;
  #closed: Promise<void> | undefined;

  constructor(options: MqttBrokerPublisherOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, (nowMs) => this.#sweep(nowMs));
  }

  publish(message: OutgoingMqttMessage, options: PublishOptions): Promise<PublishResult> {
    const { deadlineMs, answerMs, maySend } = options;
    const error = this.#closed === undefined ? checkOutgoingMqttMessage(message) : notSent();
    if (error !== undefined) return Promise.resolve({ status: 'failed', error });
    if (deadlineMs <= this.#options.clock.now()) return Promise.resolve({ status: 'failed', error: late() });
    return new Promise((resolve) => {
      const settle = (failure?: BridgeError) =>
        resolve(failure === undefined ? { status: 'accepted' } : { status: 'failed', error: failure });
      this.#line.push({ message, deadlineMs, answerMs, maySend, settle });
      this.#deadlines.watch(deadlineMs);
      this.#pump();
    });
  }

  async check(deadlineMs: number): Promise<void> {
    if (this.#closed !== undefined) throw notSent();
    const inFlight = this.#inFlight;
    if (inFlight === undefined) {
      const error = await this.#before(deadlineMs, this.#connect());
      if (error !== undefined) throw error;
      return;
    }
    try {
      // A connection may be dead without a sign: a frozen sandbox, a dropped flow.
      await this.#before(deadlineMs, inFlight.ping());
    } catch (error) {
      inFlight.connection.destroy();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const inFlight = this.#inFlight;
    this.#inFlight = undefined;
    this.#closing.abort(notSent());
    this.#deadlines.stop();
    this.#failWaiting(notSent());
    inFlight?.fail(new BrokerUnavailableError('publishing: the publisher was closed', { maybeStored: true }));
    await Promise.all([inFlight?.connection.close(), this.#connecting]);
  }

  /** Sends as many of the waiting messages as may leave now, in their order. */
  #pump(): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) {
      if (this.#line.length > 0) void this.#connect();
      return;
    }
    const nowMs = this.#options.clock.now();
    const window = this.#suspects > 0 ? 1 : inFlight.window;
    for (let next = this.#line.first; next !== undefined; next = this.#line.first) {
      if (inFlight.connection.isFull || (next.message.qos > 0 && inFlight.size >= window)) return;
      this.#line.drop();
      // A process that slept may be past it before a timer tells.
      if (next.deadlineMs <= nowMs) next.settle(late());
      else if (next.maySend?.() === false) next.settle(notAllowed());
      else this.#send(next, inFlight, nowMs);
    }
  }

  #send(outgoing: Outgoing, inFlight: InFlight, nowMs: number): void {
    if (outgoing.answerMs !== undefined) {
      outgoing.deadlineMs = nowMs + outgoing.answerMs;
      this.#deadlines.watch(outgoing.deadlineMs);
    }
    inFlight.send(outgoing);
  }

  /** One attempt, shared by all who ask meanwhile; answers why it failed. */
  #connect(): Promise<BridgeError | undefined> {
    this.#connecting ??= this.#openConnection().then(
      () => this.#connected(undefined),
      (error: unknown) => this.#connected(errorOfConnection(error)),
    );
    return this.#connecting;
  }

  #connected(error: BridgeError | undefined): BridgeError | undefined {
    this.#connecting = undefined;
    this.#connectError = error;
    if (error !== undefined) {
      this.#backOff.failed(this.#options.clock.now() - this.#attemptBeganMs);
      this.#failWaiting(error);
    }
    return error;
  }

  async #openConnection(): Promise<void> {
    const { cluster, secret, clientId, clock } = this.#options;
    const { signal } = this.#closing;
    const { waitMs } = this.#backOff;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    this.#attemptBeganMs = clock.now();
    const open = (events: ConnectionEvents) => async (protocolVersion: 4 | 5) => {
      await checkHost(new URL(cluster.url).hostname);
      return this.#patience.attempt(clock, (connectTimeout) => {
        const { url, options } = mqttClientOptions(cluster, secret, { clientId, protocolVersion });
        return openConnection({ url, options: { ...options, connectTimeout } }, events, signal);
      });
    };
    await this.#protocol.open(open(this.#events()), async () => {
      const connection = await open(IGNORED)(4);
      await connection.close();
    });
  }

  #events(): ConnectionEvents {
    let inFlight: InFlight | undefined;
    return {
      onOpen: (connection: BrokerConnection) => {
        inFlight = new InFlight(connection, this.#options.clock);
        this.#inFlight = inFlight;
        this.#pump();
      },
      onPacket: (packet) => {
        if (inFlight?.acknowledge(packet) === true) {
          this.#backOff.succeeded();
          this.#suspects = Math.max(0, this.#suspects - 1);
        }
        this.#pump();
      },
      onRoom: () => this.#pump(),
      onClosed: (errorOf) => {
        if (inFlight !== undefined) this.#lost(inFlight, errorOf);
      },
    };
  }

  #lost(inFlight: InFlight, errorOf: (options: { maybeStored: boolean }) => BridgeError): void {
    if (this.#closed !== undefined) return;
    this.#inFlight = undefined;
    this.#backOff.failed();
    const told = errorOf({ maybeStored: false });
    const isStray = told.code === 'CLIENT_ID_TAKEN' && this.#patience.hasStray(this.#options.clock.now());
    const reason = isStray ? takenOverByStray({ maybeStored: true }) : told;
    if (isStray) inFlight.fail(reason);
    else if (reason.scope === 'cluster') inFlight.fail(errorOf({ maybeStored: true }));
    // One message was the reason. Alone in flight it is known; otherwise the next attempts, one by one, will show it.
    else if (inFlight.size === 1) inFlight.fail(reason);
    else {
      this.#suspects = inFlight.size;
      inFlight.fail(oneOfMany(reason));
    }
    if (reason.reaction === 'hold' && reason.scope === 'cluster') this.#failWaiting(reason);
    this.#pump();
  }

  #failWaiting(error: BridgeError): void {
    for (const outgoing of this.#line.takeAll()) outgoing.settle(error);
  }

  #sweep(nowMs: number): number {
    for (const outgoing of this.#line.takeUnless(({ deadlineMs }) => deadlineMs > nowMs)) {
      outgoing.settle(this.#connectError ?? late());
    }
    const earliestMs = this.#inFlight?.sweep(nowMs) ?? Number.POSITIVE_INFINITY;
    return this.#line.reduce((earliest, { deadlineMs }) => Math.min(earliest, deadlineMs), earliestMs);
  }

  async #before<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const timer = new AbortController();
    const waitMs = Math.min(Math.max(deadlineMs - clock.now(), 0), MAX_TIMER_MS);
    const timeout = clock.sleep(waitMs, timer.signal).then((): never => {
      throw new BrokerUnavailableError('checking the MQTT broker: no answer in time', {
        code: 'TARGET_TIMEOUT',
      });
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      timer.abort();
    }
  }
}

function notSent(): BridgeError {
  return new BrokerUnavailableError('publishing: the publisher is closed', { code: 'NOT_SENT' });
}

function notAllowed(): BridgeError {
  return new BrokerUnavailableError('publishing: not allowed any more', { code: 'NOT_SENT' });
}

function late(): BridgeError {
  return new BrokerUnavailableError('publishing: no time is left', { code: 'DEADLINE_PASSED' });
}

function oneOfMany(cause: BridgeError): BridgeError {
  return new BrokerUnavailableError(
    'publishing: the broker closed the connection over one of several messages',
    {
      maybeStored: true,
      cause,
    },
  );
}
