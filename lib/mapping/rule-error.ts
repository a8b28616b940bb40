import { z } from 'zod';
import { asciiJson } from './json.ts';
import { RULE_ENVELOPE_VERSION } from './rule-envelope.ts';

/** What AWS IoT sends to a rule's error action when the action failed. */
export const RuleError = z.object({
  ruleName: z.string(),
  topic: z.string(),
  clientId: z.string().optional(),
  base64OriginalPayload: z.string(),
  failures: z
    .array(
      z.object({
        failedAction: z.string().optional(),
        failedResource: z.string().optional(),
        errorMessage: z.string().optional(),
      }),
    )
    .default([]),
});
export type RuleError = z.infer<typeof RuleError>;

/**
 * The envelope that the rule would have made, as far as the document tells: topic, client identifier and payload, but neither
 * time nor any property.
 */
export function envelopeOfRuleError(
  { ruleName, topic, clientId, base64OriginalPayload }: RuleError,
  { taskId, version }: { taskId: string; version: number },
): string {
  return asciiJson({
    v: RULE_ENVELOPE_VERSION,
    task: taskId,
    r: version,
    f: Number(/_(\d{1,2})$/.exec(ruleName)?.[1] ?? 0),
    t: topic,
    c: clientId,
    p: base64OriginalPayload,
  });
}
