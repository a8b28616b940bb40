import { Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import type { Clock } from '../../ports/clock.ts';
import { breaksConnection } from './errors.ts';
import { type CallerIdentity, callMetadata } from './metadata.ts';

const SERVICE = '/apache.rocketmq.v2.MessagingService';
export type RpcMethod = 'QueryRoute' | 'SendMessage';

/**
 * A connection unused for longer is not trusted: a frozen sandbox does not notice that its flow was dropped, and every
 * call on it would time out.
 */
const MAX_UNUSED_MS = 60_000;

const CHANNEL_OPTIONS: ClientOptions = {
  // Without it a new channel inherits the dead connection of an old one to the same address.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 0,
  // One attempt for each message: whoever calls us decides about a second.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
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

/**
 * One HTTP/2 connection to a RocketMQ proxy, made when first needed and given up for a new one when it broke or was
 * left unused. Holds no timer and keeps no process alive while nothing is in flight.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #client: Client | undefined;
  #lastUsedMs = 0;
  #inFlight = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Bytes out, bytes in. Rejects with what grpc-js says; see errors.ts. `deadlineMs` in epoch milliseconds. */
  async unary(method: RpcMethod, request: Buffer, deadlineMs: number): Promise<Buffer> {
    const client = this.#current();
    this.#inFlight += 1;
    try {
      return await this.#call(client, method, request, deadlineMs);
    } catch (error) {
      if (breaksConnection(error)) this.#drop(client);
      throw error;
    } finally {
      this.#inFlight -= 1;
      this.#lastUsedMs = this.#options.clock.now();
    }
  }

  /** Calls in flight are answered still; new ones are refused. */
  close(): void {
    this.#closed = true;
    this.#client?.close();
    this.#client = undefined;
  }

  #call(client: Client, method: RpcMethod, request: Buffer, deadlineMs: number): Promise<Buffer> {
    const metadata = callMetadata(this.#options.caller, this.#options.clock.now());
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        identity,
        identity,
        request,
        metadata,
        { deadline: deadlineMs },
        (error, response) => (error === null && response ? resolve(response) : reject(error)),
      );
    });
  }

  #current(): Client {
    if (this.#closed) throw new Error('connection to RocketMQ is closed');
    const unusedMs = this.#options.clock.now() - this.#lastUsedMs;
    if (this.#client !== undefined && this.#inFlight === 0 && unusedMs > MAX_UNUSED_MS) {
      this.#drop(this.#client);
    }
    this.#client ??= this.#connect();
    return this.#client;
  }

  #connect(): Client {
    const { endpoint, tls, ca } = this.#options;
    const channel = tls
      ? credentials.createSsl(ca === undefined ? null : Buffer.from(ca))
      : credentials.createInsecure();
    return new Client(`dns:///${endpoint}`, channel, CHANNEL_OPTIONS);
  }

  /** Other calls on the same client end by themselves, at the latest with their deadlines. */
  #drop(client: Client): void {
    client.close();
    if (this.#client === client) this.#client = undefined;
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
