import {
  CreateTopicRuleCommand,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  type GetTopicRuleCommandOutput,
  type IoTClient,
  ListTagsForResourceCommand,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  type TopicRulePayload,
} from '@aws-sdk/client-iot';
import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import { STACK_TAG } from '../../domain/tasks/resource-names.ts';
import type { TopicRule, TopicRuleSpec, TopicRules } from '../../ports/topic-rules.ts';
import { controlPlaneCall, type Pace } from '../aws/control-plane-call.ts';
import { errorOfIot, isRuleNameTaken, mayBeNoSuchRule } from './errors.ts';

/** Version of the SQL engine; without it AWS IoT takes that of 2015, which has neither `encode` nor arrays. */
const SQL_VERSION = '2016-03-23';
const LIST_PAGE = 1_000;
const MAX_PAGES = 50;

type Options = { abortSignal: AbortSignal };

/** Topic rules of AWS IoT Core in the client's region. @param options.isHome - the stack's own */
export function createIotTopicRules({
  iot,
  pace,
  isHome = false,
}: {
  iot: Pick<IoTClient, 'send'>;
  pace: Pace;
  isHome?: boolean;
}): TopicRules {
  const call = <T>(kind: Parameters<Pace>[0], doing: string, send: (options: Options) => Promise<T>) =>
    controlPlaneCall(
      () => pace(kind),
      send,
      (error) => errorOfIot(error, doing, isHome),
    );

  /**
   * Undefined when the rule is surely absent. "Denied" counts as absent only if we may list rules, and the rule is not
   * among them: a missing permission, or a list that is behind, must not look like a missing rule.
   */
  async function unlessAbsent<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ControlPlaneError) || !mayBeNoSuchRule(error.cause)) throw error;
      if (!(await listAll()).includes(name)) return undefined;
      throw new ControlPlaneError(`topic rule ${name} is listed, and yet AWS IoT denies access to it`, {
        code: 'RULE_UNCLEAR',
        reaction: 'not-yet',
        waitMs: 10_000,
        hint: 'If this stays, the role of the converge function lacks a permission on this rule.',
        cause: error.cause,
      });
    }
  }

  async function listAll(): Promise<string[]> {
    const names: string[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await call('list', 'listing topic rules', (options) =>
        iot.send(new ListTopicRulesCommand({ maxResults: LIST_PAGE, nextToken }), options),
      );
      for (const { ruleName } of answer.rules ?? []) if (ruleName !== undefined) names.push(ruleName);
      nextToken = answer.nextToken;
      if (!nextToken) break;
    }
    return names;
  }

  const getRule = (name: string) =>
    unlessAbsent(name, () =>
      call('read', `reading topic rule ${name}`, (options) =>
        iot.send(new GetTopicRuleCommand({ ruleName: name }), options),
      ),
    );

  const tagsOf = async (arn: string): Promise<Record<string, string>> => {
    const tags: Record<string, string> = {};
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await call('read', `reading the tags of ${arn}`, (options) =>
        iot.send(new ListTagsForResourceCommand({ resourceArn: arn, nextToken }), options),
      );
      for (const { Key, Value } of answer.tags ?? []) if (Key !== undefined) tags[Key] = Value ?? '';
      nextToken = answer.nextToken;
      if (!nextToken) break;
    }
    return tags;
  };

  async function replace(spec: TopicRuleSpec): Promise<boolean> {
    const command = new ReplaceTopicRuleCommand({ ruleName: spec.name, topicRulePayload: payloadOf(spec) });
    const done = await unlessAbsent(spec.name, () =>
      call('write', `replacing topic rule ${spec.name}`, (options) => iot.send(command, options)),
    );
    return done !== undefined;
  }

  /** A run that died made it; or somebody else did, and then it is not ours to change. */
  async function adopt(spec: TopicRuleSpec, cause: unknown): Promise<void> {
    const found = await getRule(spec.name);
    const tags = found?.ruleArn === undefined ? {} : await tagsOf(found.ruleArn);
    if (tags[STACK_TAG] === spec.tags[STACK_TAG] && (await replace(spec))) return;
    throw new ControlPlaneError(`topic rule ${spec.name} exists and does not carry the tag of this stack`, {
      code: 'RULE_NOT_OURS',
      reaction: found === undefined ? 'not-yet' : 'failed',
      hint: 'Delete that rule, or give it the tag of the stack.',
      cause,
    });
  }

  return {
    async create(spec) {
      const command = new CreateTopicRuleCommand({
        ruleName: spec.name,
        topicRulePayload: payloadOf(spec),
        tags: new URLSearchParams({ ...spec.tags }).toString(),
      });
      try {
        await call('write', `creating topic rule ${spec.name}`, (options) => iot.send(command, options));
      } catch (error) {
        if (!(error instanceof ControlPlaneError) || !isRuleNameTaken(error.cause)) throw error;
        await adopt(spec, error.cause);
      }
    },

    replace,

    async setEnabled(name, enabled) {
      const doing = `${enabled ? 'enabling' : 'disabling'} topic rule ${name}`;
      const done = await unlessAbsent(name, () =>
        call('write', doing, (options) =>
          enabled
            ? iot.send(new EnableTopicRuleCommand({ ruleName: name }), options)
            : iot.send(new DisableTopicRuleCommand({ ruleName: name }), options),
        ),
      );
      return done !== undefined;
    },

    async get(name) {
      const found = await getRule(name);
      return found === undefined ? undefined : ruleOf(name, found);
    },

    async delete(name) {
      await unlessAbsent(name, () =>
        call('write', `deleting topic rule ${name}`, (options) =>
          iot.send(new DeleteTopicRuleCommand({ ruleName: name }), options),
        ),
      );
    },

    list: async (namePrefix) => (await listAll()).filter((name) => name.startsWith(namePrefix)),

    tags: async (arn) => (await unlessAbsent(arn.slice(arn.lastIndexOf('/') + 1), () => tagsOf(arn))) ?? {},
  };
}

/** The whole rule: what is left out of a replacement is removed. */
function payloadOf(spec: TopicRuleSpec): TopicRulePayload {
  const { sql, description, roleArn, queueUrl, errorQueueUrl } = spec;
  return {
    sql,
    description,
    awsIotSqlVersion: SQL_VERSION,
    ruleDisabled: !spec.enabled,
    actions: [{ sqs: { roleArn, queueUrl, useBase64: false } }],
    errorAction: { sqs: { roleArn, queueUrl: errorQueueUrl, useBase64: false } },
  };
}

function ruleOf(name: string, { ruleArn, rule }: GetTopicRuleCommandOutput): TopicRule {
  const action = rule?.actions?.find(({ sqs }) => sqs !== undefined)?.sqs;
  const errorAction = rule?.errorAction?.sqs;
  const errorQueueUrl = errorAction?.queueUrl;
  const isAsMade =
    rule?.awsIotSqlVersion === SQL_VERSION &&
    action?.useBase64 !== true &&
    errorAction?.useBase64 !== true &&
    (errorAction === undefined || errorAction.roleArn === action?.roleArn);
  return {
    name,
    arn: ruleArn ?? '',
    sql: rule?.sql ?? '',
    enabled: rule?.ruleDisabled !== true,
    actionCount: rule?.actions?.length ?? 0,
    ...(action?.queueUrl === undefined ? {} : { queueUrl: action.queueUrl }),
    ...(errorQueueUrl === undefined ? {} : { errorQueueUrl }),
    ...(action?.roleArn === undefined ? {} : { roleArn: action.roleArn }),
    form: isAsMade ? 'ours' : 'other',
  };
}
