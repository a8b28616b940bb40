import { IoTClient } from '@aws-sdk/client-iot';
import type { TopicRules, TopicRulesByRegion } from '../../ports/topic-rules.ts';
import { CONTROL_PLANE_CLIENT } from '../aws/client-options.ts';
import type { Pace } from '../aws/control-plane-call.ts';
import { createIotTopicRules } from './topic-rules.ts';

/** More regions than AWS IoT Core has are a mistake, not a cache. */
const MAX_CLIENTS = 40;

/**
 * Topic rules of any region, one client each, made when first asked for; the oldest goes when there are too many.
 *
 * @param paceOf - the rate limit of a region
 * @param home - the stack's own
 * @param clientOf - for tests
 */
export function createTopicRulesByRegion({
  paceOf,
  home,
  clientOf = (region) => new IoTClient({ ...CONTROL_PLANE_CLIENT, region }),
}: {
  paceOf: (region: string) => Pace;
  home: string;
  clientOf?: (region: string) => IoTClient;
}): TopicRulesByRegion {
  const byRegion = new Map<string, { client: IoTClient; rules: TopicRules }>();
  return {
    inRegion(region) {
      const known = byRegion.get(region);
      if (known !== undefined) return known.rules;
      const client = clientOf(region);
      const rules = createIotTopicRules({ iot: client, pace: paceOf(region), isHome: region === home });
      byRegion.set(region, { client, rules });
      const [oldest] = byRegion;
      if (byRegion.size > MAX_CLIENTS && oldest !== undefined) {
        oldest[1].client.destroy();
        byRegion.delete(oldest[0]);
      }
      return rules;
    },
  };
}
