import { type IoTClient, type ListTopicRulesCommand, UnauthorizedException } from '@aws-sdk/client-iot';
import { describe, expect, it } from '@jest/globals';
import { createIotTopicRules } from '../../../../lib/adapters/aws-iot/topic-rules.ts';

const unpaced = async () => undefined;
const denied = new UnauthorizedException({
  message: "Access to topic rule 'r' was denied",
  $metadata: { httpStatusCode: 401 },
});

/** A client that denies access to every rule; `list` answers its pages, or throws. */
function denying(list: (input: ListTopicRulesCommand['input']) => unknown): IoTClient {
  const send = async (command: { constructor: { name: string }; input: object }) => {
    if (command.constructor.name === 'ListTopicRulesCommand') return list(command.input);
    throw denied;
  };
  return { send } as unknown as IoTClient;
}

describe('createIotTopicRules', () => {
  it('takes "denied" for absent when it may list rules and the rule is not among them, on any page', async () => {
    const iot = denying(({ nextToken }) =>
      nextToken === undefined
        ? { rules: [{ ruleName: 'other' }], nextToken: '2' }
        : { rules: [{ ruleName: 'another' }, {}] },
    );
    const rules = createIotTopicRules({ iot, pace: unpaced });
    expect(await rules.get('r')).toBeUndefined();
    expect(await rules.setEnabled('r', true)).toBe(false);
    await rules.delete('r');
  });

  it('does not take a missing permission for a missing rule', async () => {
    const listed = createIotTopicRules({
      iot: denying(() => ({ rules: [{ ruleName: 'r' }] })),
      pace: unpaced,
    });
    await expect(listed.get('r')).rejects.toMatchObject({
      code: 'RULE_UNCLEAR',
      reaction: 'not-yet',
      hint: expect.stringContaining('permission'),
    });
    const unlisted = createIotTopicRules({
      iot: denying(() => {
        throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      }),
      pace: unpaced,
    });
    await expect(unlisted.delete('r')).rejects.toMatchObject({
      code: 'CLOUD_ACCESS_DENIED',
      reaction: 'failed',
    });
  });

  it('paces every call of its kind', async () => {
    const kinds: string[] = [];
    const iot = denying(() => ({ rules: [] }));
    const rules = createIotTopicRules({
      iot,
      pace: async (kind) => {
        kinds.push(kind);
      },
    });
    await rules.get('r');
    await rules.delete('r');
    await rules.tags('arn:aws:iot:eu-west-1:1:rule/r').catch(() => undefined);
    expect(kinds).toEqual(['read', 'list', 'write', 'list', 'read', 'list']);
  });
});
