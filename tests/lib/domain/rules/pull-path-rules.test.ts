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
  rocketmq,
  warningsOf as warningsOfAny,
} from '../../../helpers/definition-checks.ts';

const admin = { ...rocketmq, nameServer: 'rmq.example:9876' } as typeof rocketmq;
const commands: Changes = {
  source: { clusterId: 'business', topic: 'charger_commands' },
  target: { clusterId: 'devices', topic: 'stations/${key}/commands', qos: 1 },
};
const pulled: Context = {
  sourceCluster: admin,
  targetCluster: iot,
  registeredTopic: registered('NORMAL', 'charger_commands'),
};
const errorsOf = (changes: Changes = {}, context: Context = {}) =>
  errorsOfAny({ ...commands, ...changes }, { ...pulled, ...context });
const warningsOf = (changes: Changes = {}, context: Context = {}) =>
  warningsOfAny({ ...commands, ...changes }, { ...pulled, ...context });

const source = (members: object) => ({
  source: { clusterId: 'business', topic: 'charger_commands', ...members },
});
const target = (members: object) => ({ target: { clusterId: 'devices', topic: 'a', ...members } });
const broker = { targetCluster: mqtt };
const withoutAdmin = { sourceCluster: rocketmq };
const fifo = { registeredTopic: registered('FIFO', 'charger_commands') };

describe('checkPullPath', () => {
  it('takes a canary, whose topic is given', () => {
    expect(errorsOf({ options: { canary: {} } })).toEqual([]);
    expect(errorsOf({ options: { canary: { canaryTopic: 'canaries' } } })).toEqual([
      'options.canary.canaryTopic: NOT_ON_THIS_PATH',
    ]);
  });

  it('accepts commands to AWS IoT Core and to any broker, without a warning', () => {
    for (const context of [{}, broker]) {
      expect(errorsOf({}, context)).toEqual([]);
      expect(warningsOf({}, context)).toEqual([]);
    }
  });

  it('names every broken rule at once, with what would be right', () => {
    const { errors } = check(
      {
        source: {
          clusterId: 'business',
          topic: 'has space',
          filter: { type: 'sql92', expression: 'a == 1' },
          consumerGroup: 'TOOLS_CONSUMER',
          startFrom: 'earliest',
        },
        target: { clusterId: 'devices', topic: 'a/#', qos: 2, retain: 'yes' },
        options: { ordering: 'topic', qos: 0, lanes: 2, batch: { maxWaitSeconds: 1 } },
      },
      { ...pulled, ...withoutAdmin, ...fifo },
    );
    expect(found(errors)).toEqual([
      'source.topic: ROCKETMQ_TOPIC_INVALID',
      'source.filter.expression: FILTER_INVALID',
      'source.consumerGroup: ROCKETMQ_GROUP_INVALID',
      'source.startFrom: ADMIN_NEEDED',
      'target.topic: TOPIC_NAME_INVALID',
      'target.qos: QOS_NOT_ON_AWS_IOT',
      'target.retain: RETAIN_INVALID',
      'options.batch.maxWaitSeconds: NOT_ON_THIS_PATH',
      'options.lanes: ORDER_NEEDS_ONE_LANE',
      'options.ordering: NOT_ON_THIS_PATH',
      'options.qos: NOT_ON_THIS_PATH',
    ]);
    expect(errors.every(({ message }) => message.length > 20)).toBe(true);
  });

  describe('source', () => {
    it('is a registered topic', () => {
      expect(errorsOf({}, { registeredTopic: undefined })).toEqual(['source.topic: TOPIC_NOT_REGISTERED']);
      expect(errorsOf(source({ topic: '%RETRY%x' }))).toEqual(['source.topic: ROCKETMQ_TOPIC_INVALID']);
      expect(errorsOf({}, { registeredTopic: registered('DELAY', 'charger_commands') })).toEqual([]);
    });

    it('is filtered by tag or SQL92', () => {
      expect(errorsOf(source({ filter: { type: 'tag', expression: 'open || close' } }))).toEqual([]);
      expect(errorsOf(source({ filter: { type: 'sql92', expression: "site = 'berlin'" } }))).toEqual([]);
      expect(errorsOf(source({ filter: { type: 'tag', expression: 'open |' } }))).toEqual([
        'source.filter.expression: FILTER_INVALID',
      ]);
    });

    it('has a legal consumer group', () => {
      expect(errorsOf(source({ consumerGroup: 'billing' }))).toEqual([]);
      expect(errorsOf(source({ consumerGroup: 'CID_RMQ_SYS_x' }))).toEqual([
        'source.consumerGroup: ROCKETMQ_GROUP_INVALID',
      ]);
    });

    it.each(['latest', 'earliest', '2026-08-01T10:00:00Z'])(
      'starts from %s where groups can be moved',
      (startFrom) => {
        expect(errorsOf(source({ startFrom }))).toEqual([]);
        expect(warningsOf(source({ startFrom }))).toEqual([]);
      },
    );

    it('of a cluster without name server needs a group that is there', () => {
      const { errors } = check(commands, { ...pulled, ...withoutAdmin });
      expect(found(errors)).toEqual(['source.consumerGroup: CONSUMER_GROUP_NEEDED']);
      expect(errors[0]?.message).toContain('nameServer');
      expect(errorsOf(source({ consumerGroup: 'ours' }), withoutAdmin)).toEqual([]);
    });

    it('of a cluster without name server starts later only, by skipping', () => {
      expect(errorsOf(source({ consumerGroup: 'ours', startFrom: 'earliest' }), withoutAdmin)).toEqual([
        'source.startFrom: ADMIN_NEEDED',
      ]);
      expect(warningsOf(source({ consumerGroup: 'ours' }), withoutAdmin)).toEqual([]);
      for (const start of [{ startFrom: 'latest' }, { startFrom: '2026-08-01T10:00:00Z' }]) {
        const from = source({ consumerGroup: 'ours', ...start });
        expect(errorsOf(from, withoutAdmin)).toEqual([]);
        expect(warningsOf(from, withoutAdmin)).toEqual(['source.startFrom: START_BY_SKIPPING']);
      }
    });
  });

  describe('target', () => {
    it.each([
      'a//b',
      '/',
      '${topic}',
      'a/${topic[1]}/${tag}/${key}/${prop.x:-y}/${payload.a}',
      '${clientId:-none}',
      '$aws/things/${key}/shadow/update',
    ])('takes the topic %j', (topic) => {
      expect(errorsOf(target({ topic }))).toEqual([]);
      expect(errorsOf(target({ topic }), broker)).toEqual([]);
    });

    it.each([
      ['a/+/b', 'TOPIC_NAME_INVALID'],
      ['${key}/#', 'TOPIC_NAME_INVALID'],
      ['a\u0000', 'TOPIC_NAME_INVALID'],
      ['${colour}', 'TEMPLATE_INVALID'],
    ])('refuses the topic %j', (topic, code) => {
      expect(errorsOf(target({ topic }))).toEqual([`target.topic: ${code}`]);
      expect(errorsOf(target({ topic }), broker)).toEqual([`target.topic: ${code}`]);
    });

    it.each([
      ['1/2/3/4/5/6/7/8/${key}', 'TOPIC_NAME_NOT_ON_AWS_IOT'],
      [`${'x'.repeat(256)}\${key}`, 'TOPIC_NAME_NOT_ON_AWS_IOT'],
      ['$SYS/${key}', 'RESERVED_TOPIC'],
    ])('refuses the topic %j on AWS IoT Core only', (topic, code) => {
      expect(errorsOf(target({ topic }))).toEqual([`target.topic: ${code}`]);
      expect(errorsOf(target({ topic }), broker)).toEqual([]);
    });

    it('refuses a second level of a topic of RocketMQ, which has one', () => {
      expect(errorsOf(target({ topic: 'a/${topic[2]}' }))).toEqual(['target.topic: TOPIC_LEVEL_MISSING']);
      expect(errorsOf(target({ topic: 'a/${topic[1]}/${topic[2]:-b}' }))).toEqual([]);
    });

    it('warns of a client identifier, which few messages have', () => {
      expect(warningsOf(target({ topic: 'a/${clientId}' }))).toEqual([
        'target.topic: CLIENT_ID_NOT_ALWAYS_KNOWN',
      ]);
    });

    it.each([0, 1, '0', '1', '${prop.qos}', '${prop.qos:-1}'])('takes QoS %j', (qos) => {
      expect(errorsOf(target({ qos }))).toEqual([]);
    });

    it.each([2, '2', '${prop.qos:-2}'])('takes QoS %j, but not on AWS IoT Core', (qos) => {
      expect(errorsOf(target({ qos }), broker)).toEqual([]);
      expect(errorsOf(target({ qos }))).toEqual(['target.qos: QOS_NOT_ON_AWS_IOT']);
    });

    it.each(['3', 'high', '${prop.qos:-x}'])('refuses QoS %j', (qos) => {
      expect(errorsOf(target({ qos }), broker)).toEqual(['target.qos: QOS_INVALID']);
    });

    it('warns of QoS 0', () => {
      expect(warningsOf(target({ qos: 0 }))).toEqual(['target.qos: AT_MOST_ONCE']);
    });

    it.each([true, false, 'true', '${prop.retain:-false}', '${payload.keep}'])(
      'takes retain %j',
      (retain) => {
        expect(errorsOf(target({ retain }))).toEqual([]);
      },
    );

    it.each(['1', '${prop.retain:-yes}'])('refuses retain %j', (retain) => {
      expect(errorsOf(target({ retain }))).toEqual(['target.retain: RETAIN_INVALID']);
    });

    it('names a broken template once', () => {
      expect(errorsOf(target({ topic: '${key', qos: '${', retain: '${x}' }))).toEqual([
        'target.topic: TEMPLATE_INVALID',
        'target.qos: TEMPLATE_INVALID',
        'target.retain: TEMPLATE_INVALID',
      ]);
    });
  });

  describe('options', () => {
    it('of the pull path are taken', () => {
      const options = {
        lanes: 4,
        retain: 'force',
        maxMessagesPerSecond: 50,
        maxAgeSeconds: 60,
        propertyNames: 'alibaba',
        concurrency: 8,
      };
      expect(errorsOf({ options })).toEqual([]);
    });

    it('have no batch to bound, which is said', () => {
      const batch = { options: { batch: { maxMessages: 32 } } };
      expect(errorsOf(batch)).toEqual([]);
      expect(warningsOf(batch)).toEqual(['options.batch.maxMessages: OPTION_WITHOUT_EFFECT']);
    });

    it('keep one lane on a FIFO topic, whose order needs no option', () => {
      expect(errorsOf({ options: { lanes: 2 } }, fifo)).toEqual(['options.lanes: ORDER_NEEDS_ONE_LANE']);
      const { errors } = check({ ...commands, options: { ordering: 'topic' } }, { ...pulled, ...fifo });
      expect(found(errors)).toEqual(['options.ordering: NOT_ON_THIS_PATH']);
      expect(errors[0]?.message).toContain('keeps the order within each message group without this option');
    });

    it.each([
      [{ qos: 0 }, 'qos'],
      [{ retained: 'never' }, 'retained'],
      [{ whilePaused: 'broker' }, 'whilePaused'],
      [{ whilePaused: 'discard' }, 'whilePaused'],
      [{ oversize: 'envelope' }, 'oversize'],
      [{ ordering: 'key' }, 'ordering'],
      [{ batch: { maxWaitSeconds: 1 } }, 'batch.maxWaitSeconds'],
    ])('%j are refused', (options, field) => {
      expect(errorsOf({ options })).toEqual([`options.${field}: NOT_ON_THIS_PATH`]);
    });
  });
});
