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
});
