import {
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  connectivityState,
  credentials,
} from '@grpc/grpc-js';
import { hostOf } from '../../domain/clusters/cluster-address.ts';
import type { Clock } from '../../ports/clock.ts';
import { assertAllowedHost, checkHost } from '../network/address-guard.ts';
import { ChannelSockets } from './channel-sockets.ts';
import { breaksConnection } from './errors.ts';
import { type CallerIdentity, callMetadata } from './metadata.ts';

const SERVICE = '/apache.rocketmq.v2.MessagingService';
/** One request, one answer. */
export type UnaryMethod =
  | 'QueryRoute'
  | 'SendMessage'
  | 'AckMessage'
  | 'ChangeInvisibleDuration'
  | 'Heartbeat'
  | 'NotifyClientTermination';
/** One request, a stream of answers. */
export type ServerStreamMethod = 'ReceiveMessage';
/** Streams both ways, open as long as both sides like. */
export type DuplexMethod = 'Telemetry';
export type Duplex = ClientDuplexStream<Buffer, Buffer>;

/**
 * A connection unused for longer is not trusted: a frozen sandbox does not notice that its flow was dropped, and every
 * call on it would time out.
 */
const MAX_UNUSED_MS = 60_000;
/** A proxy that has just been started may take seconds for its first connection. One that takes longer was swallowed on its way. */
const READY_MS = 10_000;

const CHANNEL_OPTIONS: ClientOptions = {
  // Without it a new channel inherits the dead connection of an old one to the same address.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 0,
  // One attempt for each message: whoever calls us decides about a second.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // A message received is one of these, and brokers may be set to take more than the usual 4 MiB.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
};

export interface ConnectionOptions {
  /** host:port */
  endpoint: string;
  tls: boolean;
  /** PEM. Replaces Node's roots; without it those and NODE_EXTRA_CA_CERTS count. */
  ca?: string;
  caller: CallerIdentity;
  clock: Clock;
}

export interface CallOptions {
  /** Epoch milliseconds. */
  deadlineMs: number;
  /** As whom, to the cluster; absent: as the connection's caller. */
  clientId?: string;
}

export interface ServerStreamOptions extends CallOptions {
  /** Given each answer as it comes. */
  onAnswer(answer: Buffer): void;
  /** Cancels the call, which then resolves. */
  signal?: AbortSignal;
}

/**
 * One HTTP/2 connection to a RocketMQ proxy, made when first needed and given up for a new one when it broke or was
 * left unused. Holds no timer and keeps no process alive while nothing is in flight and no duplex stream is open.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #duplexes = new Set<{ client: Client; stream: Duplex }>();
  #client: Client | undefined;
  /** While it connects. */
  #sockets: ChannelSockets | undefined;
  #lastUsedMs = 0;
  #inFlight = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Bytes out, bytes in. Rejects with what grpc-js says, see errors.ts, or `ADDRESS_NOT_ALLOWED`. */
  unary(method: UnaryMethod, request: Buffer, options: CallOptions): Promise<Buffer> {
    return this.#use((client) => this.#unary(client, method, request, options));
  }

  /** Bytes out, bytes in many times. Resolves at the end of the stream or when the signal aborts; rejects as `unary`. */
  serverStream(method: ServerStreamMethod, request: Buffer, options: ServerStreamOptions): Promise<void> {
    return this.#use((client) => this.#serverStream(client, method, request, options));
  }

  /** The caller listens for `error` as long as he lives. It ends with the connection, which it does not keep in use. */
  duplex(method: DuplexMethod, clientId: string): Duplex {
    const client = this.#current();
    const metadata = this.#metadata(clientId);
    const stream = this.#within(() =>
      client.makeBidiStreamRequest(path(method), identity, identity, metadata),
    );
    const entry = { client, stream };
    this.#duplexes.add(entry);
    stream.once('close', () => this.#duplexes.delete(entry));
    return stream;
  }

  /** The next call makes a new connection: this one is suspected to be dead. */
  renew(): void {
    if (this.#client !== undefined) this.#drop(this.#client);
  }

  /** Calls in flight are answered still; new ones are refused. */
  close(): void {
    this.#closed = true;
    this.renew();
  }

  async #use<T>(call: (client: Client) => Promise<T>): Promise<T> {
    // A name may lead elsewhere by now, so it is looked at whenever a connection is made.
    const check = this.#client === undefined ? checkHost(hostOf(this.#options.endpoint)) : undefined;
    if (check !== undefined) await check;
    const client = this.#current();
    this.#inFlight += 1;
    try {
      return await this.#within(() => call(client));
    } catch (error) {
      if (breaksConnection(error)) this.#drop(client);
      throw error;
    } finally {
      this.#inFlight -= 1;
      this.#lastUsedMs = this.#options.clock.now();
    }
  }

  #unary(
    client: Client,
    method: UnaryMethod,
    request: Buffer,
    { deadlineMs, clientId }: CallOptions,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path(method),
        identity,
        identity,
        request,
        this.#metadata(clientId),
        { deadline: deadlineMs },
        (error, response) => (error === null && response ? resolve(response) : reject(error)),
      );
    });
  }

  #serverStream(
    client: Client,
    method: ServerStreamMethod,
    request: Buffer,
    { deadlineMs, clientId, onAnswer, signal }: ServerStreamOptions,
  ): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const metadata = this.#metadata(clientId);
    const stream = client.makeServerStreamRequest(path(method), identity, identity, request, metadata, {
      deadline: deadlineMs,
    });
    const abort = () => {
      resolve();
      stream.cancel();
    };
    signal?.addEventListener('abort', abort, { once: true });
    stream.on('data', onAnswer);
    stream.on('end', resolve);
    stream.on('error', reject);
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  #metadata(clientId: string | undefined) {
    const { caller, clock } = this.#options;
    return callMetadata(clientId === undefined ? caller : { ...caller, clientId }, clock.now());
  }

  #current(): Client {
    if (this.#closed) throw new Error('connection to RocketMQ is closed');
    const unusedMs = this.#options.clock.now() - this.#lastUsedMs;
    if (this.#client !== undefined && this.#inFlight === 0 && unusedMs > MAX_UNUSED_MS) {
      this.#drop(this.#client);
    }
    this.#client ??= this.#begin();
    return this.#client;
  }

  /** Calls that wait for a connection which does not come about fail with it, unsent. */
  #begin(): Client {
    const sockets = new ChannelSockets();
    this.#sockets = sockets;
    const client = this.#connect();
    const channel = client.getChannel();
    const deadlineMs = this.#options.clock.now() + READY_MS;
    // Not by `waitForReady`, which opens a closed channel again.
    const look = (error?: Error) => {
      if (this.#sockets !== sockets) return;
      const state = channel.getConnectivityState(false);
      if (state === connectivityState.READY) this.#sockets = undefined;
      else if (error === undefined) channel.watchConnectivityState(state, deadlineMs, look);
      else this.#drop(client);
    };
    look();
    return client;
  }

  #within<T>(call: () => T): T {
    return this.#sockets === undefined ? call() : this.#sockets.watch(call);
  }

  #connect(): Client {
    const { endpoint, tls, ca } = this.#options;
    assertAllowedHost(hostOf(endpoint));
    const channel = tls
      ? credentials.createSsl(ca === undefined ? null : Buffer.from(ca))
      : credentials.createInsecure();
    return new Client(`dns:///${endpoint}`, channel, CHANNEL_OPTIONS);
  }

  /** Other calls on the same client end by themselves, at the latest with their deadlines. */
  #drop(client: Client): void {
    const connecting = this.#client === client ? this.#sockets : undefined;
    if (this.#client === client) {
      this.#client = undefined;
      this.#sockets = undefined;
    }
    if (connecting === undefined) client.close();
    else connecting.destroy(() => client.close());
    for (const duplex of this.#duplexes) if (duplex.client === client) duplex.stream.cancel();
  }
}

function path(method: UnaryMethod | ServerStreamMethod | DuplexMethod): string {
  return `${SERVICE}/${method}`;
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
