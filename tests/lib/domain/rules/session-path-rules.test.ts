import { describe, expect, it } from '@jest/globals';
import {
  type Changes,
  type Context,
  check,
  errorsOf as errorsOfAny,
  found,
  iot,
  mqtt,
  registered,
  warningsOf as warningsOfAny,
} from '../../../helpers/definition-checks.ts';

const errorsOf = (changes: Changes = {}, context: Context = {}) =>
  errorsOfAny(changes, { sourceCluster: mqtt, ...context });
const warningsOf = (changes: Changes = {}, context: Context = {}) =>
  warningsOfAny(changes, { sourceCluster: mqtt, ...context });

const source = (...topicFilters: string[]) => ({ source: { clusterId: 'factory', topicFilters } });
const target = (members: object) => ({
  target: { clusterId: 'business', topic: 'charger_status', ...members },
});
const onIot = { sourceCluster: iot };
const session = { options: { via: 'session' } };
const fifo = { registeredTopic: registered('FIFO') };
const ALWAYS = 'options.via: NOT_SEEN_ON_THIS_PATH';

describe('checkSessionPath', () => {
  it('knows how deep topics can be: on AWS IoT Core 8 levels', () => {
    const deep = { ...source('stations/#'), ...target({ tag: '${topic[9]}' }) };
    expect(errorsOf({ ...deep, ...session }, onIot)).toEqual(['target.tag: TOPIC_LEVEL_MISSING']);
    expect(errorsOf(deep)).toEqual([]);
  });

  it('accepts a session on any broker, and says what it cannot see', () => {
    expect(errorsOf()).toEqual([]);
    expect(warningsOf()).toEqual([ALWAYS]);
    expect(errorsOf(session, onIot)).toEqual([]);
    expect(warningsOf(session, onIot)).toEqual([ALWAYS, 'options.via: SESSION_RATE_ON_AWS_IOT']);
  });

  it('names every broken rule at once, with what would be right', () => {
    const { errors } = check(
      {
        ...source('a/#/b', '$share/g/a'),
        ...target({ tag: '${clientId}' }),
        options: {
          ordering: 'client',
          lanes: 3,
          batch: { maxMessages: 11, maxWaitSeconds: 1 },
          retain: 'drop',
        },
      },
      { sourceCluster: mqtt },
    );
    expect(found(errors)).toEqual([
      'source.topicFilters[0]: TOPIC_FILTER_INVALID',
      'source.topicFilters[1]: SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH',
      'target.tag: NOT_ON_THIS_PATH',
      'options.ordering: NOT_ON_THIS_PATH',
      'options.ordering: ORDER_NEEDS_FIFO_TOPIC',
      'options.lanes: ORDER_NEEDS_ONE_LANE',
      'options.batch.maxMessages: ORDER_NEEDS_SMALL_BATCH',
      'options.batch.maxWaitSeconds: NOT_ON_THIS_PATH',
      'options.retain: NOT_ON_THIS_PATH',
    ]);
    expect(errors.every(({ message }) => message.length > 20)).toBe(true);
  });

  describe('topic filters', () => {
    it.each(['1/2/3/4/5/6/7/8/9', 'a"b', '$SYS/broker/load', 'x'.repeat(300), '/', "it's ${fine}"])(
      'takes %j from a broker that is not AWS IoT Core',
      (topicFilter) => {
        expect(errorsOf(source(topicFilter))).toEqual([]);
      },
    );

    it.each(['a"b', "it's ${fine}", '$aws/things/+/shadow/update/accepted', '1/2/3/4/5/6/7/8'])(
      'takes %j from AWS IoT Core, where it stands in no SQL',
      (topicFilter) => {
        expect(errorsOf({ ...source(topicFilter), ...session }, onIot)).toEqual([]);
      },
    );

    it.each([
      ['1/2/3/4/5/6/7/8/9', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
      ['x'.repeat(257), 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
      ['$SYS/x', 'RESERVED_TOPIC'],
      ['$share/g/a', 'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH'],
    ])('refuses %j on AWS IoT Core', (topicFilter, code) => {
      expect(errorsOf({ ...source(topicFilter), ...session }, onIot)).toEqual([
        `source.topicFilters[0]: ${code}`,
      ]);
    });

    it('points from shared subscriptions to lanes', () => {
      const { errors } = check(source('$share/g/a'), { sourceCluster: mqtt });
      expect(errors[0]?.message).toContain('options.lanes');
    });

    it('stay within the allowed prefixes', () => {
      expect(errorsOf(source('a/b', 'site/#'), { allowedTopicPrefixes: ['site'] })).toEqual([
        'source.topicFilters[0]: TOPIC_FILTER_NOT_ALLOWED',
      ]);
    });

    it('that another one covers are said to be of no use, in the dialect of the broker', () => {
      expect(warningsOf(source('a', 'a/#'))).toEqual([
        'source.topicFilters[0]: TOPIC_FILTER_COVERED',
        ALWAYS,
      ]);
      expect(warningsOf({ ...source('a', 'a/#'), ...session }, onIot)).not.toContain(
        'source.topicFilters[0]: TOPIC_FILTER_COVERED',
      );
    });

    it('may overlap where MQTT 5 tells the copies apart', () => {
      expect(errorsOf(source('a/+', '+/b', 'c'))).toEqual([]);
      expect(warningsOf(source('a/+', 'x/b', '+/b', 'c'))).toEqual([
        'source.topicFilters[2]: ROOT_WILDCARD',
        'source.topicFilters[1]: TOPIC_FILTER_COVERED',
        'source.topicFilters[2]: TOPIC_FILTERS_OVERLAP',
        ALWAYS,
      ]);
    });

    it('must not overlap on AWS IoT Core, which has no subscription identifiers', () => {
      expect(errorsOf({ ...source('a/+/c', 'a/b/+', 'd'), ...session }, onIot)).toEqual([
        'source.topicFilters[1]: TOPIC_FILTERS_OVERLAP',
      ]);
    });
  });

  describe('target', () => {
    it('needs the topic registered, and knows no client identifier', () => {
      expect(errorsOf({}, { registeredTopic: undefined })).toEqual(['target.topic: TOPIC_NOT_REGISTERED']);
      expect(errorsOf(target({ keys: ['${clientId}', '${clientId:-none}', '${prop.site}'] }))).toEqual([
        'target.keys[0]: NOT_ON_THIS_PATH',
      ]);
    });

    it('that is FIFO needs a message group or an ordering', () => {
      const { errors } = check({}, { sourceCluster: mqtt, ...fifo });
      expect(found(errors)).toEqual(['target.messageGroup: FIFO_NEEDS_MESSAGE_GROUP']);
      expect(errors[0]?.message).toContain('options.ordering');
      expect(errorsOf(target({ messageGroup: '${topic}' }), fifo)).toEqual([]);
      expect(warningsOf(target({ messageGroup: '${topic}' }), fifo)).toEqual([
        'target.messageGroup: ORDER_BEST_EFFORT',
        ALWAYS,
      ]);
    });
  });

  describe('ordering', () => {
    it('is kept on a FIFO topic', () => {
      for (const changes of [
        { options: { ordering: 'topic' } },
        { ...target({ keys: ['${topic[2]}'] }), options: { ordering: 'key' } },
        { ...target({ messageGroup: '${prop.site:-none}' }), options: { ordering: 'key' } },
      ]) {
        expect(errorsOf(changes, fifo)).toEqual([]);
        expect(warningsOf(changes, fifo)).toEqual([ALWAYS]);
      }
    });

    it('by key needs a key', () => {
      expect(errorsOf({ options: { ordering: 'key' } }, fifo)).toEqual(['target.keys: ORDER_NEEDS_KEY']);
    });

    it('needs a FIFO topic that is known: neither NORMAL nor rendered', () => {
      const options = { ordering: 'topic' };
      expect(errorsOf({ options })).toEqual(['options.ordering: ORDER_NEEDS_FIFO_TOPIC']);
      expect(
        errorsOf({ ...target({ topic: 's_${topic[2]}' }), options }, { registeredTopic: undefined }),
      ).toEqual(['options.ordering: ORDER_NEEDS_FIFO_TOPIC']);
      expect(errorsOf({ options }, { registeredTopic: undefined })).toEqual([
        'target.topic: TOPIC_NOT_REGISTERED',
      ]);
    });

    it('needs one lane and batches that a FIFO queue has', () => {
      expect(errorsOf({ options: { ordering: 'topic', lanes: 2 } }, fifo)).toEqual([
        'options.lanes: ORDER_NEEDS_ONE_LANE',
      ]);
      expect(errorsOf({ options: { ordering: 'topic', batch: { maxMessages: 11 } } }, fifo)).toEqual([
        'options.batch.maxMessages: ORDER_NEEDS_SMALL_BATCH',
      ]);
      expect(errorsOf({ options: { ordering: 'topic', batch: { maxMessages: 10 } } }, fifo)).toEqual([]);
    });

    it('by client is not to be had', () => {
      expect(errorsOf({ options: { ordering: 'client' } }, fifo)).toEqual([
        'options.ordering: NOT_ON_THIS_PATH',
      ]);
    });
  });

  describe('options', () => {
    it('of sessions are taken', () => {
      const options = {
        lanes: 4,
        qos: 1,
        retained: 'never',
        batch: { maxMessages: 2000 },
        propertyNames: 'rocketmq-mqtt',
        maxAgeSeconds: 60,
      };
      expect(errorsOf({ options })).toEqual([]);
    });

    it('hold nothing back at a broker, which would drop it', () => {
      expect(errorsOf({ options: { maxMessagesPerSecond: 500 } })).toEqual([
        'options.maxMessagesPerSecond: NOT_ON_THIS_PATH',
      ]);
    });

    it('have no window: a session sends what is there', () => {
      expect(errorsOf({ options: { batch: { maxWaitSeconds: 1 } } })).toEqual([
        'options.batch.maxWaitSeconds: NOT_ON_THIS_PATH',
      ]);
    });

    it.each([
      [{ whilePaused: 'broker' }, 'options.whilePaused: BROKER_KEEPS_LITTLE'],
      [{ whilePaused: 'discard' }, 'options.whilePaused: DISCARDS_WHILE_PAUSED'],
      [{ qos: 0 }, 'options.qos: AT_MOST_ONCE'],
      [{ lanes: 2 }, 'options.lanes: LANES_SHARE'],
      [{ concurrency: 8 }, 'options.concurrency: OPTION_WITHOUT_EFFECT'],
    ])('%j are taken with a warning', (options, warning) => {
      expect(errorsOf({ options })).toEqual([]);
      expect(warningsOf({ options })).toEqual([ALWAYS, warning]);
    });
  });
});
