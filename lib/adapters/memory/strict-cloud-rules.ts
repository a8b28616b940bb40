import {
  ConflictingResourceUpdateException,
  CreateTopicRuleCommand,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  InvalidRequestException,
  ListTagsForResourceCommand,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  SqlParseException,
  ThrottlingException,
  type TopicRulePayload,
  UnauthorizedException,
} from '@aws-sdk/client-iot';
import { createStaleCollection, createThrottle, refused, type StrictContext } from './strict-cloud-parts.ts';

/** Of create, replace, enable and disable each; of deletions in the smallest regions; of lists; of the rest. */
const WRITES_PER_SECOND = 5;
const LISTS_PER_SECOND = 2;
const READS_PER_SECOND = 20;
/** A second change of the same rule within this meets the first. */
const CONFLICT_MS = 100;

export interface StrictRule {
  name: string;
  payload: TopicRulePayload;
  enabled: boolean;
  tags: Record<string, string>;
  changedAtMs: number;
}

/** AWS IoT's topic rules as strict as they are: 5 calls/s, "denied" for what is missing, a role that takes a while. */
export function createStrictRules(
  { clock, region, accountId }: StrictContext,
  { roleReadyAtMs }: { roleReadyAtMs: number },
) {
  const rules = createStaleCollection<StrictRule>(clock);
  const allowed = createThrottle(clock);
  const arnOf = (name: string) => `arn:aws:iot:${region}:${accountId}:rule/${name}`;

  function at(name = ''): StrictRule {
    const rule = rules.get(name);
    if (rule !== undefined) return rule;
    throw new UnauthorizedException(refused(`Access to topic rule '${name}' was denied`, 401));
  }

  function changing(name = ''): StrictRule {
    const rule = at(name);
    if (clock.now() < rule.changedAtMs + CONFLICT_MS) {
      throw new ConflictingResourceUpdateException(refused('A conflicting resource update exception', 409));
    }
    rule.changedAtMs = clock.now();
    return rule;
  }

  function checked(payload: TopicRulePayload | undefined): TopicRulePayload {
    if (clock.now() < roleReadyAtMs) {
      throw new InvalidRequestException(
        refused('iot.amazonaws.com is unable to assume role, please try again in a few seconds'),
      );
    }
    if (payload === undefined || !/^SELECT .* FROM '[^']+'$/s.test(payload.sql ?? '')) {
      throw new SqlParseException(refused('SQL statement cannot be parsed'));
    }
    return payload;
  }

  function create({ ruleName = '', topicRulePayload, tags = '' }: CreateTopicRuleCommand['input']): void {
    if (rules.get(ruleName) !== undefined) {
      throw new ResourceAlreadyExistsException(refused(`Rule with name ${ruleName} exists`, 409));
    }
    const payload = checked(topicRulePayload);
    rules.add(ruleName, {
      name: ruleName,
      payload,
      enabled: payload.ruleDisabled !== true,
      tags: Object.fromEntries(new URLSearchParams(tags)),
      changedAtMs: clock.now(),
    });
  }

  function limit(command: object): void {
    const name = command.constructor.name;
    const perSecond = name.startsWith('List')
      ? LISTS_PER_SECOND
      : name.startsWith('Get')
        ? READS_PER_SECOND
        : WRITES_PER_SECOND;
    if (!allowed(name, perSecond)) throw new ThrottlingException(refused('Rate exceeded', 429));
  }

  /** Answers a command of the SDK, or throws its exception. */
  function handle(command: object): unknown {
    limit(command);
    if (command instanceof CreateTopicRuleCommand) {
      create(command.input);
      return {};
    }
    if (command instanceof ReplaceTopicRuleCommand) {
      const rule = changing(command.input.ruleName);
      rule.payload = checked(command.input.topicRulePayload);
      rule.enabled = rule.payload.ruleDisabled !== true;
      return {};
    }
    if (command instanceof EnableTopicRuleCommand || command instanceof DisableTopicRuleCommand) {
      changing(command.input.ruleName).enabled = command instanceof EnableTopicRuleCommand;
      return {};
    }
    if (command instanceof DeleteTopicRuleCommand) {
      rules.remove(changing(command.input.ruleName).name);
      return {};
    }
    if (command instanceof GetTopicRuleCommand) {
      const rule = at(command.input.ruleName);
      return { ruleArn: arnOf(rule.name), rule: { ...rule.payload, ruleDisabled: !rule.enabled } };
    }
    if (command instanceof ListTopicRulesCommand) {
      return { rules: rules.listed().map(({ name }) => ({ ruleName: name, ruleArn: arnOf(name) })) };
    }
    if (command instanceof ListTagsForResourceCommand) {
      const rule = rules.get(command.input.resourceArn?.split('/').at(-1) ?? '');
      if (rule === undefined) throw new ResourceNotFoundException(refused('Rule not found', 404));
      return { tags: Object.entries(rule.tags).map(([Key, Value]) => ({ Key, Value })) };
    }
    throw new TypeError('the strict cloud does not know this command of AWS IoT');
  }

  return {
    handle,
    all: () => rules.all().map(({ value }) => value),
    /** As somebody by hand, or of another stack. */
    add: (rule: StrictRule) => rules.add(rule.name, rule),
    remove: (name: string) => rules.remove(name),
  };
}
