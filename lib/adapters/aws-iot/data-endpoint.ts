import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import {
  BridgeError,
  BrokerHoldError,
  BrokerThrottledError,
  BrokerUnavailableError,
} from '../../domain/errors/errors.ts';
import { CONTROL_PLANE_CLIENT } from '../aws/client-options.ts';
import { controlPlaneErrorOf } from '../aws/control-plane-errors.ts';

/** Where MQTT and HTTPS messages of AWS IoT Core go, by region. */
export interface DataEndpoints {
  /** Host, on the emulator with its port. Throws a `BridgeError` when AWS does not tell. */
  hostOf(region: string): Promise<string>;
}

/** The one with certificates of Amazon Trust Services; the older one's are no longer trusted everywhere. */
const ENDPOINT_TYPE = 'iot:Data-ATS';
/** More regions than AWS IoT Core has are a mistake, not a cache. */
const MAX_REGIONS = 40;

/**
 * Asks each region once for as long as this process lives: an account's endpoint never changes, and `DescribeEndpoint` may be
 * called 10 times a second only. A failure is not kept.
 *
 * @param clientOf - for tests
 */
export function createDataEndpoints({
  clientOf = (region) => new IoTClient({ ...CONTROL_PLANE_CLIENT, region }),
}: {
  clientOf?: (region: string) => Pick<IoTClient, 'send' | 'destroy'>;
} = {}): DataEndpoints {
  const byRegion = new Map<string, Promise<string>>();

  async function describe(region: string): Promise<string> {
    const client = clientOf(region);
    try {
      const command = new DescribeEndpointCommand({ endpointType: ENDPOINT_TYPE });
      const { endpointAddress } = await client.send(command);
      if (endpointAddress) return endpointAddress;
      throw new BrokerUnavailableError(`AWS IoT in ${region} named no data endpoint`);
    } catch (error) {
      byRegion.delete(region);
      throw errorOfDescribe(error, region);
    } finally {
      client.destroy();
    }
  }

  return {
    hostOf(region) {
      const known = byRegion.get(region);
      if (known !== undefined) return known;
      const asked = describe(region);
      byRegion.set(region, asked);
      const [oldest] = byRegion.keys();
      if (byRegion.size > MAX_REGIONS && oldest !== undefined) byRegion.delete(oldest);
      return asked;
    },
  };
}

function errorOfDescribe(cause: unknown, region: string): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const doing = `asking AWS IoT in ${region} for its data endpoint`;
  const { code, waitMs } = controlPlaneErrorOf(cause, doing);
  if (code === 'CLOUD_THROTTLED') {
    return new BrokerThrottledError(`${doing}: AWS asked for fewer calls`, {
      cause,
      waitMs: waitMs ?? 2_000,
    });
  }
  if (code === 'CLOUD_ACCESS_DENIED') {
    return new BrokerHoldError(`${doing}: access is denied`, {
      code: 'ACCESS_DENIED',
      scope: 'cluster',
      hint: 'The role of the function needs iot:DescribeEndpoint.',
      cause,
    });
  }
  return new BrokerUnavailableError(`${doing}: no usable answer`, { cause });
}
