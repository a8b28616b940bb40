import type { IoTClient } from '@aws-sdk/client-iot';
import { describe, expect, it } from '@jest/globals';
import { createTopicRulesByRegion } from '../../../../lib/adapters/aws-iot/topic-rules-by-region.ts';

const unpaced = async () => undefined;

describe('createTopicRulesByRegion', () => {
  it('has one client for each region, and a bounded number of them', () => {
    const destroyed: string[] = [];
    const made: string[] = [];
    const byRegion = createTopicRulesByRegion({
      paceOf: () => unpaced,
      home: 'r-0',
      clientOf: (region) => {
        made.push(region);
        return { destroy: () => destroyed.push(region) } as unknown as IoTClient;
      },
    });
    expect(byRegion.inRegion('r-0')).toBe(byRegion.inRegion('r-0'));
    for (let region = 1; region <= 40; region += 1) byRegion.inRegion(`r-${region}`);
    expect(made).toHaveLength(41);
    expect(destroyed).toEqual(['r-0']);
  });

  it('takes a name that is not known for an outage in the stack’s own region, and elsewhere for no region', async () => {
    const send = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
    const byRegion = createTopicRulesByRegion({
      paceOf: () => unpaced,
      home: 'eu-west-1',
      clientOf: () => ({ send, destroy: () => undefined }) as unknown as IoTClient,
    });
    const list = (region: string) => byRegion.inRegion(region).list('mqferry_');
    await expect(list('eu-west-1')).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE', reaction: 'not-yet' });
    await expect(list('eu-wst-1')).rejects.toMatchObject({ code: 'REGION_UNKNOWN', reaction: 'failed' });
  });
});
