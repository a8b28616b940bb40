import { IoTClient } from '@aws-sdk/client-iot';
import { AwsV4Signer } from 'aws4fetch';
import { BrokerHoldError } from '../../domain/errors/errors.ts';
import { CONTROL_PLANE_CLIENT } from '../aws/client-options.ts';
import type { DataEndpoints } from './data-endpoint.ts';

/** Where to open a websocket for MQTT, and with which headers. */
export interface AwsIotWebsocket {
  /** Good for one connection that is made at once. Throws a `BridgeError`. */
  sign(region: string): Promise<{ url: string; headers?: Record<string, string> }>;
}

/** What the SDK's default chain gives: role, environment, profile. */
interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

const SERVICE = 'iotdevicegateway';
/** The handshake follows at once; a connection that stands is not ended by it. */
const EXPIRES_SECONDS = 300;

/**
 * MQTT over websocket with Signature Version 4 in the query. The session token is appended after signing, as AWS IoT wants
 * it (aws4fetch knows that of this service).
 *
 * @param options.emulatorUrl - http://host:port of an AWS emulator, which tells endpoints apart by the Host header
 * @param options.credentials - for tests
 */
export function createAwsIotWebsocket({
  endpoints,
  emulatorUrl,
  credentials = defaultCredentials(),
}: {
  endpoints: DataEndpoints;
  emulatorUrl?: string;
  credentials?: () => Promise<AwsCredentials>;
}): AwsIotWebsocket {
  return {
    async sign(region) {
      const host = await endpoints.hostOf(region);
      if (emulatorUrl !== undefined) {
        return { url: `ws://${new URL(emulatorUrl).host}/mqtt`, headers: { Host: host } };
      }
      const { accessKeyId, secretAccessKey, sessionToken } = await readCredentials(credentials);
      const signer = new AwsV4Signer({
        url: `wss://${host}/mqtt?X-Amz-Expires=${EXPIRES_SECONDS}`,
        service: SERVICE,
        region,
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        signQuery: true,
      });
      const { url } = await signer.sign();
      return { url: url.href };
    },
  };
}

/** The SDK caches them and fetches new ones before they expire. */
function defaultCredentials(): () => Promise<AwsCredentials> {
  const client = new IoTClient(CONTROL_PLANE_CLIENT);
  return () => client.config.credentials();
}

async function readCredentials(read: () => Promise<AwsCredentials>): Promise<AwsCredentials> {
  try {
    return await read();
  } catch (cause) {
    throw new BrokerHoldError('signing for AWS IoT: there are no AWS credentials', {
      code: 'CREDENTIALS_REFUSED',
      scope: 'cluster',
      hint: 'Run with a role, or set AWS credentials in the environment.',
      cause,
    });
  }
}
