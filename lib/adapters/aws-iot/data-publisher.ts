import {
  GetRetainedMessageCommand,
  IoTDataPlaneClient,
  PublishCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot-data-plane';
import { type BridgeError, BrokerUnavailableError } from '../../domain/errors/errors.ts';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { OutgoingMqttMessage } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MqttPublisher, PublishOptions, PublishResult } from '../../ports/mqtt-publisher.ts';
import type { DataEndpoints } from './data-endpoint.ts';
import { createPace, type Pace } from './pace.ts';
import { errorOfPublish } from './publish-errors.ts';
import { checkAwsIotMessage, publishRequestOf } from './publish-request.ts';

/** Half of what the smaller regions take from an account (quota *inbound publish requests per second*: 2,000). */
const PUBLISHES_PER_SECOND = 1_000;
const MAX_SOCKETS = 50;
const REQUEST_TIMEOUT_MS = 5_000;
/** More regions than AWS IoT Core has are a mistake, not a cache. */
const MAX_REGIONS = 40;
/** Nobody publishes there; what AWS answers about it shows that it was reached. */
const CHECK_TOPIC = 'mqferry/check';
/** Node's longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface DataPublishersOptions {
  endpoints: DataEndpoints;
  clock: Clock;
  /** Per region, for all publishers of this process. */
  publishesPerSecond?: number;
  /** http://host:port of an AWS emulator, which tells the data plane by the path. */
  emulatorUrl?: string;
  /** For tests. */
  clientOf?: (region: string, endpoint: string) => IoTDataPlaneClient;
}

/** Publishers to AWS IoT Core. What they hold is shared by region, and goes with `close`. */
export interface DataPublishers {
  inRegion(region: string): MqttPublisher;
  close(): void;
}

interface Region {
  client: Promise<IoTDataPlaneClient>;
  pace: Pace;
}

/**
 * Publishes over HTTPS by `Publish` of the data plane: at most 50 requests at once and 1,000 a second in a region, one
 * attempt each. QoS 2 becomes QoS 1, which AWS IoT Core has no more than.
 */
export function createDataPublishers(options: DataPublishersOptions): DataPublishers {
  const { endpoints, clock, emulatorUrl, publishesPerSecond = PUBLISHES_PER_SECOND } = options;
  const clientOf = options.clientOf ?? createClient;
  const regions = new Map<string, Region>();

  async function connect(region: string): Promise<IoTDataPlaneClient> {
    return clientOf(region, emulatorUrl ?? `https://${await endpoints.hostOf(region)}`);
  }

  function regionOf(name: string): Region {
    const known = regions.get(name);
    const region = known ?? {
      client: connect(name),
      pace: createPace({ clock, ratePerSecond: publishesPerSecond, maxInFlight: MAX_SOCKETS }),
    };
    if (known === undefined) {
      // Who waits for it hears of the failure; the next one asks again.
      region.client.catch(() => regions.delete(name));
    }
    drop(keepRecent(regions, name, region, MAX_REGIONS));
    return region;
  }

  return {
    inRegion: (name) => createDataPublisher(clock, () => regionOf(name)),
    close() {
      for (const region of regions.values()) drop(region);
      regions.clear();
    },
  };
}

function createDataPublisher(clock: Clock, region: () => Region): MqttPublisher {
  const closing = new AbortController();

  const signalUntil = (deadlineMs: number) => {
    const leftMs = Math.min(Math.max(deadlineMs - clock.now(), 0), MAX_TIMER_MS);
    return AbortSignal.any([closing.signal, AbortSignal.timeout(leftMs)]);
  };

  async function send(
    message: OutgoingMqttMessage,
    { deadlineMs, answerMs, maySend }: PublishOptions,
  ): Promise<BridgeError | undefined> {
    const { pace, client } = region();
    const done = await pace.turn(deadlineMs);
    if (done === undefined) return late();
    try {
      const sender = await client;
      if (closing.signal.aborted || maySend?.() === false) return notSent();
      await sender.send(new PublishCommand(publishRequestOf(message)), {
        abortSignal: signalUntil(answerMs === undefined ? deadlineMs : clock.now() + answerMs),
      });
      return undefined;
    } catch (error) {
      return errorOfPublish(error);
    } finally {
      done();
    }
  }

  return {
    async publish(message, options): Promise<PublishResult> {
      const refused = closing.signal.aborted ? notSent() : checkAwsIotMessage(message);
      const error = refused ?? (options.deadlineMs > clock.now() ? await send(message, options) : late());
      return error === undefined ? { status: 'accepted' } : { status: 'failed', error };
    },
    /** Whether the role may publish shows with the first message only: there is no other call for it. */
    async check(deadlineMs) {
      if (closing.signal.aborted) throw notSent();
      try {
        const client = await region().client;
        const command = new GetRetainedMessageCommand({ topic: CHECK_TOPIC });
        await client.send(command, { abortSignal: signalUntil(deadlineMs) });
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return;
        const failure = errorOfPublish(error);
        // Reading retained messages is a right that the function need not have.
        if (failure.code !== 'ACCESS_DENIED') throw failure;
      }
    },
    async close() {
      closing.abort();
    },
  };
}

function createClient(region: string, endpoint: string): IoTDataPlaneClient {
  return new IoTDataPlaneClient({
    region,
    endpoint,
    maxAttempts: 1,
    requestHandler: {
      httpsAgent: { maxSockets: MAX_SOCKETS },
      httpAgent: { maxSockets: MAX_SOCKETS },
      connectionTimeout: 2_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

function drop(region: Region | undefined): void {
  region?.client.then(
    (client) => client.destroy(),
    () => undefined,
  );
}

function late(): BridgeError {
  return new BrokerUnavailableError('publishing to AWS IoT: no time is left', { code: 'DEADLINE_PASSED' });
}

function notSent(): BridgeError {
  return new BrokerUnavailableError('publishing to AWS IoT: not allowed any more', { code: 'NOT_SENT' });
}
