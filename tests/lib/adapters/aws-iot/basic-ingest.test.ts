import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createBasicIngest } from '../../../../lib/adapters/aws-iot/basic-ingest.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';

const iot = mockClient(IoTDataPlaneClient);
beforeEach(() => {
  iot.reset();
});
afterAll(() => iot.restore());

function createEntrance() {
  const asked: string[] = [];
  const made: string[] = [];
  const entrance = createBasicIngest({
    endpoints: {
      async hostOf(region) {
        asked.push(region);
        return `data.${region}.example`;
      },
    },
    clock: systemClock,
    clientOf: (region, endpoint) => {
      made.push(endpoint);
      return new IoTDataPlaneClient({ region, endpoint });
    },
  });
  return { entrance, asked, made };
}

const canary = () => ({
  region: 'eu-west-1',
  ruleName: 'mqferry_dev_0',
  topicName: 'mqferry/canary/T',
  payload: Buffer.from('x'),
  deadlineMs: Date.now() + 5_000,
});

describe('createBasicIngest', () => {
  it('publishes to the rule alone, over one client for a region', async () => {
    iot.on(PublishCommand).resolves({});
    const { entrance, made } = createEntrance();
    await entrance.enter(canary());
    await entrance.enter(canary());
    await entrance.enter({ ...canary(), region: 'us-east-1' });
    expect(made).toEqual(['https://data.eu-west-1.example', 'https://data.us-east-1.example']);
    expect(iot.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({
      topic: '$aws/rules/mqferry_dev_0/mqferry/canary/T',
      payload: Buffer.from('x'),
      qos: 1,
    });
  });

  it('says why AWS IoT did not take it', async () => {
    iot.on(PublishCommand).rejects(Object.assign(new Error('no'), { name: 'ForbiddenException' }));
    const { entrance } = createEntrance();
    await expect(entrance.enter(canary())).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });
});
