import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createDataEndpoints } from '../../../lib/adapters/aws-iot/data-endpoint.ts';
import { createAwsIotWebsocket } from '../../../lib/adapters/aws-iot/websocket.ts';
import { createMemorySecretReader } from '../../../lib/adapters/memory/secret-reader.ts';
import { createMqttSessions } from '../../../lib/adapters/mqtt/session.ts';
import { createSessionAddresses } from '../../../lib/adapters/mqtt/session-address.ts';
import { openSession, payloads } from '../../contract/mqtt-session/kit.ts';
import { emulatorConfig } from '../../helpers/aws-emulator.ts';

const config = emulatorConfig();
const dataPlane = new IoTDataPlaneClient(config);
afterAll(() => dataPlane.destroy());

const sessions = createMqttSessions({
  clock: Date,
  addressOf: createSessionAddresses({
    secrets: createMemorySecretReader({}),
    awsIot: createAwsIotWebsocket({
      endpoints: createDataEndpoints({ clientOf: (region) => new IoTClient({ ...config, region }) }),
      emulatorUrl: config.endpoint,
    }),
  }),
});
const cluster = {
  kind: 'aws-iot',
  name: 'Devices',
  region: config.region,
  clusterId: 'devices',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
} as const;

// What is not acknowledged does not come again on the emulator, so losing nothing is shown on HiveMQ by the same adapter.
describe('a session on AWS IoT Core', () => {
  it('connects over a websocket, subscribes and delivers', async () => {
    const session = await openSession(
      { sessions, cluster },
      { clientId: 'mqferry-aws', topicFilters: ['stations/+/status'], acceptAtOnce: true },
    );
    expect(session.session.protocolVersion).toBe(5);
    await dataPlane.send(
      new PublishCommand({ topic: 'stations/7/status', qos: 1, payload: Buffer.from('offline') }),
    );
    await session.received(1);
    expect(payloads(session)).toEqual(['offline']);
    expect(session.deliveries[0]?.message.topicName).toBe('stations/7/status');
    await session.session.close({ endSession: true });
  });
});
