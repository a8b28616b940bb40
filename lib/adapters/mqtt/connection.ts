import { connect, type IClientOptions, type IConnackPacket, type MqttClient, type Packet } from 'mqtt';
import { type BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import type { MqttProtocolVersion } from './client-options.ts';
import { errorOfConnecting, errorOfConnection, errorOfReason, isClosedSilently } from './errors.ts';

/** What the broker allows on this connection [MQTT5 3.2.2.3]; MQTT 3.1.1 says nothing of it. */
export interface BrokerLimits {
  protocolVersion: MqttProtocolVersion;
  /** QoS 1 and 2 messages that may be unacknowledged. */
  receiveMaximum?: number;
  /** Bytes of a whole packet. */
  maximumPacketSize?: number;
  maximumQos: 0 | 1 | 2;
  canRetain: boolean;
}

export interface ConnectionEvents {
  /** Before any other event, and before the promise of `openConnection` resolves. */
  onOpen(connection: BrokerConnection): void;
  onPacket(packet: Packet): void;
  /** What was written has left, after `isFull` was true. */
  onRoom(): void;
  /** Once, and the last of all: the connection is gone. `errorOf` makes the error that says why. */
  onClosed(errorOf: (options: { maybeStored: boolean }) => BridgeError): void;
}

/** Beyond so many bytes that the socket has not taken, more would only fill memory. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Packets of one turn of the event loop leave together, up to so many bytes in a write. */
const MAX_WRITE_BYTES = 64 * 1024;
/** The broker has as long to close its side after DISCONNECT. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * One connection to a broker, by MQTT.js, which opens it, keeps it alive and reads from it. Publishes are not handed to
 * MQTT.js: it would send them again on another connection, which is for the caller to decide.
 */
export class BrokerConnection {
  readonly limits: BrokerLimits;
  readonly #client: MqttClient;
  readonly #closed: Promise<void>;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #whenFlushed: ((error?: Error | null) => void)[] = [];
  #flushing: NodeJS.Immediate | undefined;

  constructor(client: MqttClient, limits: BrokerLimits, events: Pick<ConnectionEvents, 'onRoom'>) {
    this.#client = client;
    this.limits = limits;
    this.#closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#flush();
        resolve();
      });
    });
    // Nagle's algorithm would hold packets back until the broker has acknowledged earlier ones. Websockets are without it.
    if ('setNoDelay' in client.stream && typeof client.stream.setNoDelay === 'function') {
      client.stream.setNoDelay(true);
    }
    client.stream.on('drain', events.onRoom);
  }

  /** True: nothing more is to be written until `onRoom`, or for ever when it is about to close. */
  get isFull(): boolean {
    const { destroyed, writableLength } = this.#client.stream;
    return destroyed || writableLength + this.#gatheredBytes > MAX_UNSENT_BYTES;
  }

  /** Leaves with the others of this turn of the event loop, in the order of the calls. `whenFlushed`: the socket took it. */
  write(packet: Buffer, whenFlushed?: (error?: Error | null) => void): void {
    this.#gathered.push(packet);
    this.#gatheredBytes += packet.length;
    if (whenFlushed !== undefined) this.#whenFlushed.push(whenFlushed);
    if (this.#gatheredBytes >= MAX_WRITE_BYTES) this.#flush();
    // Not before all acknowledgements that arrived together are handled, each of which lets another publish go.
    else this.#flushing ??= setImmediate(() => this.#flush());
  }

  /** DISCONNECT, and the end within a second. */
  async close(): Promise<void> {
    this.#flush();
    const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS);
    this.#client.end();
    await this.#closed;
    clearTimeout(timer);
  }

  /** The end at once; `onClosed` follows. */
  destroy(): void {
    this.#client.stream.destroy();
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const [only] = this.#gathered;
    if (only === undefined) return;
    const chunk = this.#gathered.length === 1 ? only : Buffer.concat(this.#gathered, this.#gatheredBytes);
    const whenFlushed = this.#whenFlushed;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#whenFlushed = [];
    if (whenFlushed.length === 0) this.#client.stream.write(chunk);
    else {
      this.#client.stream.write(chunk, (error) => {
        for (const flushed of whenFlushed) flushed(error);
      });
    }
  }
}

/**
 * Resolves when the broker has let us in; the signal counts until then. Rejects with a `BridgeError`: `CONNECT_UNANSWERED`
 * when the broker closed the connection instead of answering, as some that know no MQTT 5 do.
 */
export function openConnection(
  { url, options }: { url: string; options: IClientOptions },
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<BrokerConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<BrokerConnection>();
  const client = connect(url, options);
  let isOpen = false;
  let failure: unknown;
  let disconnectCode: number | undefined;

  const errorOf = (given: { maybeStored: boolean }) =>
    disconnectCode === undefined
      ? errorOfConnection(failure, given)
      : errorOfReason('disconnect', disconnectCode, given);
  const abort = () => client.stream?.destroy();

  // Listeners before `connect`: nothing that arrives may be missed, and no error may be without one.
  client.on('error', (error) => {
    failure ??= error;
    // MQTT.js leaves the connection open after a packet that it cannot read.
    client.stream?.destroy();
  });
  client.on('packetreceive', (packet) => events.onPacket(packet));
  client.on('disconnect', ({ reasonCode = 0 }) => {
    disconnectCode = reasonCode;
    client.stream.destroy();
  });
  client.once('connect', (connack) => {
    isOpen = true;
    signal.removeEventListener('abort', abort);
    const limits = limitsOf(connack, options.protocolVersion === 4 ? 4 : 5);
    const connection = new BrokerConnection(client, limits, events);
    events.onOpen(connection);
    resolve(connection);
  });
  client.once('close', () => {
    signal.removeEventListener('abort', abort);
    if (isOpen) events.onClosed(errorOf);
    else if (signal.aborted) reject(signal.reason);
    else reject(errorOfOpening(failure));
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    client.connect();
  } catch (error) {
    signal.removeEventListener('abort', abort);
    reject(signal.aborted ? error : errorOfConnecting(error));
  }
  return promise;
}

function limitsOf({ properties = {} }: IConnackPacket, protocolVersion: MqttProtocolVersion): BrokerLimits {
  const { receiveMaximum, maximumPacketSize, maximumQoS, retainAvailable } = properties;
  return {
    protocolVersion,
    ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
    ...(maximumPacketSize === undefined ? {} : { maximumPacketSize }),
    maximumQos: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
    canRetain: retainAvailable !== false,
  };
}

/**
 * Why no connection came about. `CONNECT_UNANSWERED`: the broker closed the connection instead of answering, as some that know
 * no MQTT 5 do.
 *
 * @param failure - what MQTT.js emitted as `error`, if anything
 */
export function errorOfOpening(failure: unknown): BridgeError {
  return isClosedSilently(failure) ? unanswered(failure) : errorOfConnecting(failure);
}

function unanswered(cause: unknown): BridgeError {
  return new BrokerUnavailableError(
    'connecting to the MQTT broker: it closed the connection without an answer',
    {
      code: 'CONNECT_UNANSWERED',
      cause,
    },
  );
}
