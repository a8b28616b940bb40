import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { CanaryEntrance } from '../../ports/canary-entrance.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DataEndpoints } from './data-endpoint.ts';
import { errorOfPublish } from './publish-errors.ts';

const REQUEST_TIMEOUT_MS = 3_000;
/** More regions than AWS IoT Core has are a mistake, not a cache. */
const MAX_REGIONS = 40;

/**
 * Publishes to one rule alone, `$aws/rules/<rule>/<topic>`: no subscriber gets it, and of other rules none. Whatever the rule's
 * FROM says, it is run; `topic()` is what follows its name.
 *
 * @param options.emulatorUrl - http://host:port of an AWS emulator, which tells the data plane by the path
 * @param options.clientOf - for tests
 */
export function createBasicIngest({
  endpoints,
  clock,
  emulatorUrl,
  clientOf = createClient,
}: {
  endpoints: DataEndpoints;
  clock: Pick<Clock, 'now'>;
  emulatorUrl?: string;
  clientOf?: (region: string, endpoint: string) => IoTDataPlaneClient;
}): CanaryEntrance {
  const clients = new Map<string, IoTDataPlaneClient>();

  async function clientIn(region: string): Promise<IoTDataPlaneClient> {
    const endpoint = emulatorUrl ?? `https://${await endpoints.hostOf(region)}`;
    const client = clients.get(region) ?? clientOf(region, endpoint);
    keepRecent(clients, region, client, MAX_REGIONS)?.destroy();
    return client;
  }

  return {
    async enter({ region, ruleName, topicName, payload, deadlineMs }) {
      try {
        const client = await clientIn(region);
        const leftMs = Math.max(0, deadlineMs - clock.now());
        await client.send(
          new PublishCommand({ topic: `$aws/rules/${ruleName}/${topicName}`, payload, qos: 1 }),
          { abortSignal: AbortSignal.timeout(leftMs) },
        );
      } catch (error) {
        throw errorOfPublish(error);
      }
    },
  };
}

function createClient(region: string, endpoint: string): IoTDataPlaneClient {
  return new IoTDataPlaneClient({
    region,
    endpoint,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: REQUEST_TIMEOUT_MS },
  });
}
