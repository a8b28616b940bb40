import { describe, expect, it } from '@jest/globals';
import { check, errorsOf, found, registered, warningsOf } from '../../../helpers/definition-checks.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const target = (members: object) => ({
  target: { clusterId: 'business', topic: 'charger_status', ...members },
});
const source = (...topicFilters: string[]) => ({ source: { clusterId: 'devices', topicFilters } });
const ALWAYS = 'options.via: NOT_SEEN_ON_THIS_PATH';

describe('checkRulePath', () => {
  it('accepts the main task, and says what the rule path cannot see', () => {
    expect(errorsOf()).toEqual([]);
    expect(warningsOf()).toEqual([ALWAYS]);
  });

  it('names every broken rule at once, with what would be right', () => {
    const { errors } = check({
      ...source('a/#/b', 'ok', "it's"),
      ...target({ tag: '${nonsense}', keys: ['fine', '${key}'], messageGroup: '${topic}' }),
      options: { ordering: 'topic', batch: { maxMessages: 500 } },
    });
    expect(found(errors)).toEqual([
      'source.topicFilters[0]: TOPIC_FILTER_INVALID',
      'source.topicFilters[2]: TOPIC_FILTER_NOT_ON_AWS_IOT',
      'target.tag: TEMPLATE_INVALID',
      'target.keys[1]: NOT_ON_THIS_PATH',
      'target.messageGroup: MESSAGE_GROUP_NEEDS_FIFO_TOPIC',
      'options.ordering: ORDER_NOT_ON_THIS_PATH',
      'options.batch.maxWaitSeconds: BATCH_NEEDS_WINDOW',
    ]);
    expect(errors.every(({ message }) => message.length > 20)).toBe(true);
  });

  describe('topic filters', () => {
    it.each([
      ['a/#/b', 'TOPIC_FILTER_INVALID'],
      ['a/b+/c', 'TOPIC_FILTER_INVALID'],
      ['1/2/3/4/5/6/7/8/9', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
      ['a"b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
      ['a\u0007b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
      ['$aws/things/+/shadow/update', 'RESERVED_TOPIC'],
      ['$share/group/a', 'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH'],
    ])('refuses %j with %s', (topicFilter, code) => {
      expect(errorsOf(source(topicFilter))).toEqual([`source.topicFilters[0]: ${code}`]);
    });

    it.each(['1/2/3/4/5/6/7/8', 'a/+/c/#', '$aws/events/presence/connected/+', '/leading'])(
      'accepts %j',
      (topicFilter) => {
        expect(errorsOf(source(topicFilter))).toEqual([]);
      },
    );

    it('stay within the allowed prefixes', () => {
      const allowed = { allowedTopicPrefixes: ['stations', 'site/a'] };
      expect(errorsOf(source('stations/+/status', 'site/a/#'), allowed)).toEqual([]);
      const refused = check(source('#', 'site/b', 'stationsX/1'), allowed).errors;
      expect(found(refused)).toEqual([
        'source.topicFilters[0]: TOPIC_FILTER_NOT_ALLOWED',
        'source.topicFilters[1]: TOPIC_FILTER_NOT_ALLOWED',
        'source.topicFilters[2]: TOPIC_FILTER_NOT_ALLOWED',
      ]);
      expect(refused[0]?.message).toContain('stations/#, site/a/#');
    });

    it.each(['#', '+/status', '+'])('warns of the root wildcard %j', (topicFilter) => {
      expect(warningsOf(source(topicFilter))).toEqual(['source.topicFilters[0]: ROOT_WILDCARD', ALWAYS]);
    });

    it('warns of a filter that another one covers', () => {
      expect(warningsOf(source('a/b', 'a/+', 'c', 'c'))).toEqual([
        'source.topicFilters[0]: TOPIC_FILTER_COVERED',
        'source.topicFilters[3]: TOPIC_FILTER_COVERED',
        ALWAYS,
      ]);
    });

    it('keeps both filters where AWS IoT differs from MQTT: a/# does not match a there', () => {
      expect(warningsOf(source('a', 'a/#'))).toEqual([ALWAYS]);
    });
  });

  describe('templates', () => {
    it.each(['${topic', '${unknown}', '${topic[0]}', '${payload}'])('refuses %j', (template) => {
      expect(errorsOf(target({ tag: template }))).toEqual(['target.tag: TEMPLATE_INVALID']);
    });

    it.each(['tag', 'messageGroup'])('refuses what this path does not know, in %s', (member) => {
      expect(errorsOf(target({ [member]: '${tag}' }), { registeredTopic: registered('FIFO') })).toContain(
        `target.${member}: NOT_ON_THIS_PATH`,
      );
    });

    it('accepts what the rule path knows', () => {
      expect(
        errorsOf(
          target({ tag: '${topic[3]}', keys: ['${topic[2]}', '${prop.site:-none}', '${payload.a.b}'] }),
        ),
      ).toEqual([]);
    });

    const reads = (...topicFilters: string[]) => ({ source: { clusterId: 'devices', topicFilters } });

    it.each([
      ['${topic[4]}', ['stations/+/status']],
      ['${topic[3]}-${topic[9]}', ['stations/#']],
      ['${topic[6]}', ['stations/+/status', '$aws/events/presence/disconnected/+']],
    ])('refuses %j, a level that no topic of %j has', (tag, topicFilters) => {
      const { errors } = check({ ...target({ tag }), ...reads(...topicFilters) });
      expect(found(errors)).toEqual(['target.tag: TOPIC_LEVEL_MISSING']);
      expect(errors[0]?.message).toContain(':-none}');
    });

    it.each([
      ['${topic[8]}', ['stations/#'], []],
      ['${topic[9]:-none}', ['stations/+/status'], []],
      ['${topic[3]}', ['stations/+/status', 'stations/+'], ['target.tag: TOPIC_LEVEL_NOT_ALWAYS_THERE']],
    ])('takes %j with %j, and warns of topics that are too short', (tag, topicFilters, warnings) => {
      const { errors, warnings: given } = check({ ...target({ tag }), ...reads(...topicFilters) });
      expect(errors).toEqual([]);
      expect(found(given).filter((warning) => warning.startsWith('target.tag'))).toEqual(warnings);
    });

    it('warns of a client identifier without default', () => {
      expect(warningsOf(target({ keys: ['${clientId}', '${clientId:-none}'] }))).toEqual([
        'target.keys[0]: CLIENT_ID_NOT_ALWAYS_KNOWN',
        ALWAYS,
      ]);
    });
  });

  describe('target topic', () => {
    it.each(['has space', '%RETRY%x', 'TBW102', 'a'.repeat(128), 'prefix.${topic[2]}', '%DLQ%${topic[2]}'])(
      'refuses the name %j',
      (topic) => {
        expect(errorsOf(target({ topic }))).toEqual(['target.topic: ROCKETMQ_TOPIC_INVALID']);
      },
    );

    it('is refused once where its template is broken', () => {
      expect(errorsOf(target({ topic: '${topic' }))).toEqual(['target.topic: TEMPLATE_INVALID']);
    });

    it('has to be registered when it is literal', () => {
      expect(errorsOf({}, { registeredTopic: undefined })).toEqual(['target.topic: TOPIC_NOT_REGISTERED']);
    });

    it('is not checked when it is rendered, which is said', () => {
      const rendered = target({ topic: 'status_${topic[2]}', messageGroup: '${topic}' });
      expect(errorsOf(rendered, { registeredTopic: undefined })).toEqual([]);
      expect(warningsOf(rendered)).toEqual(['target.topic: TARGET_TOPIC_NOT_CHECKED', ALWAYS]);
    });

    it('needs a message group when it is FIFO, which keeps arrival order at best', () => {
      const fifo = { registeredTopic: registered('FIFO') };
      expect(errorsOf({}, fifo)).toEqual(['target.messageGroup: FIFO_NEEDS_MESSAGE_GROUP']);
      expect(errorsOf({ options: { ordering: 'topic' } }, fifo)).toEqual([
        'options.ordering: ORDER_NOT_ON_THIS_PATH',
      ]);
      expect(errorsOf(target({ messageGroup: '${topic}' }), fifo)).toEqual([]);
      expect(warningsOf(target({ messageGroup: '${topic}' }), fifo)).toEqual([
        'target.messageGroup: ORDER_BEST_EFFORT',
        ALWAYS,
      ]);
    });

    it('takes no message group when it is NORMAL', () => {
      expect(errorsOf(target({ messageGroup: '${topic}' }))).toEqual([
        'target.messageGroup: MESSAGE_GROUP_NEEDS_FIFO_TOPIC',
      ]);
    });

    it('cannot be DELAY yet', () => {
      expect(errorsOf({}, { registeredTopic: registered('DELAY') })).toEqual([
        'target.topic: TOPIC_TYPE_NOT_AVAILABLE',
      ]);
    });
  });

  describe('options', () => {
    it.each(['client', 'topic', 'key'])('refuses the ordering %s on the rule path', (ordering) => {
      const { errors } = check({ options: { ordering } });
      expect(found(errors)).toEqual(['options.ordering: ORDER_NOT_ON_THIS_PATH']);
      expect(errors[0]?.message).toContain('options.via "session"');
    });

    it.each([
      [10, 0, []],
      [11, 0, ['options.batch.maxWaitSeconds: BATCH_NEEDS_WINDOW']],
      [11, 1, []],
      [2000, 300, []],
    ])('batch of %d with a window of %d s: %j', (maxMessages, maxWaitSeconds, errors) => {
      expect(errorsOf({ options: { batch: { maxMessages, maxWaitSeconds } } })).toEqual(errors);
    });

    it('warns of how long a window may hold back a message', () => {
      const { warnings } = check({ options: { batch: { maxMessages: 500, maxWaitSeconds: 1 } } });
      expect(found(warnings)).toEqual([ALWAYS, 'options.batch.maxWaitSeconds: BATCH_MAY_WAIT']);
      expect(warnings[1]?.message).toContain('up to 20 s');
      expect(
        check({ options: { batch: { maxWaitSeconds: 60 } } }).warnings.map(({ message }) => message),
      ).toContainEqual(expect.stringContaining('up to 60 s'));
    });

    it.each([
      ['lanes', 2],
      ['qos', 0],
      ['retained', 'never'],
      ['whilePaused', 'broker'],
    ])('refuses what only sessions have: %s %j', (option, value) => {
      const { errors } = check({ options: { [option]: value } });
      expect(found(errors)).toEqual([`options.${option}: NOT_ON_THIS_PATH`]);
      expect(errors[0]?.message).toContain('"session"');
    });

    it('refuses what belongs to MQTT targets and to pulling', () => {
      expect(errorsOf({ options: { retain: 'force' } })).toEqual(['options.retain: NOT_ON_THIS_PATH']);
      expect(errorsOf({ options: { maxMessagesPerSecond: 5 } })).toEqual([
        'options.maxMessagesPerSecond: NOT_ON_THIS_PATH',
      ]);
    });

    it('takes defaults that are said, and what every path has', () => {
      const defaults = { lanes: 1, qos: 1, retained: 'new-subscription', retain: 'keep' };
      const common = { maxAgeSeconds: 60, propertyNames: 'alibaba', oversize: 'envelope', maxHops: 3 };
      expect(errorsOf({ options: { ...defaults, ...common } })).toEqual([]);
    });

    it('take a canary, with or without a topic of RocketMQ where it ends', () => {
      expect(errorsOf({ options: { canary: {} } })).toEqual([]);
      expect(errorsOf({ options: { canary: { canaryTopic: 'canaries' } } })).toEqual([]);
      expect(errorsOf({ options: { canary: { canaryTopic: 'no topic' } } })).toEqual([
        expect.stringMatching(/^options\.canary\.canaryTopic: /),
      ]);
      expect(() => definitionWith({ options: { canary: { topic: 'x' } } })).toThrow();
    });

    it('warns that a pause discards', () => {
      expect(warningsOf({ options: { whilePaused: 'discard' } })).toEqual([
        ALWAYS,
        'options.whilePaused: DISCARDS_WHILE_PAUSED',
      ]);
    });

    it('are refused by the schema where AWS has a limit: one invocation at a time', () => {
      expect(() => definitionWith({ options: { concurrency: 1 } })).toThrow();
      expect(errorsOf({ options: { concurrency: 2 } })).toEqual([]);
    });
  });
});
