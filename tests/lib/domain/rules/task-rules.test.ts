import { describe, expect, it } from '@jest/globals';
import { directionOf } from '../../../../lib/domain/tasks/task-path.ts';
import {
  type Context,
  check,
  errorsOf,
  found,
  iot,
  mqtt,
  registered,
  rocketmq,
} from '../../../helpers/definition-checks.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const target = (members: object) => ({
  target: { clusterId: 'business', topic: 'charger_status', ...members },
});

const pull = {
  source: { clusterId: 'business', topic: 'x', consumerGroup: 'ours' },
  target: { clusterId: 'devices', topic: 'a' },
};

describe('checkDefinition', () => {
  describe('path', () => {
    it('refuses a source that is not one of its cluster', () => {
      expect(errorsOf({}, { sourceCluster: rocketmq })).toEqual(['source: SOURCE_NOT_OF_CLUSTER']);
      expect(errorsOf({ source: { clusterId: 'devices', topic: 'x' } })).toEqual([
        'source: SOURCE_NOT_OF_CLUSTER',
      ]);
    });

    it('refuses members that the target cluster does not have', () => {
      expect(errorsOf({ target: { clusterId: 'business', topic: 'x', qos: 1, retain: true } })).toEqual([
        'target.qos: TARGET_NOT_OF_CLUSTER',
        'target.retain: TARGET_NOT_OF_CLUSTER',
      ]);
      expect(
        errorsOf(
          { source: { clusterId: 'business', topic: 'x' }, ...target({ tag: 'a', messageGroup: 'b' }) },
          { sourceCluster: rocketmq, targetCluster: iot },
        ),
      ).toEqual(['target.tag: TARGET_NOT_OF_CLUSTER', 'target.messageGroup: TARGET_NOT_OF_CLUSTER']);
    });

    it('refuses two ends of the same world', () => {
      const wrong = ['target.clusterId: DIRECTION_WRONG'];
      expect(errorsOf({}, { targetCluster: iot })).toEqual(wrong);
      expect(errorsOf({}, { targetCluster: mqtt })).toEqual(wrong);
      expect(
        errorsOf({ source: { clusterId: 'business', topic: 'x' } }, { sourceCluster: rocketmq }),
      ).toEqual(wrong);
    });

    it('has one way for each kind of source, and two from AWS IoT Core', () => {
      expect(errorsOf({}, { sourceCluster: mqtt })).toEqual([]);
      expect(errorsOf({ options: { via: 'session' } })).toEqual([]);
      const registeredTopic = registered('NORMAL', 'x');
      for (const targetCluster of [iot, mqtt]) {
        expect(errorsOf(pull, { sourceCluster: rocketmq, targetCluster, registeredTopic })).toEqual([]);
      }
    });

    it('knows retries on each of them, and refuses waits that grow shorter', () => {
      const custom = { preset: 'custom', maxTries: 3, firstWaitSeconds: 5, longestWaitSeconds: 4 };
      const ends = [
        {},
        { sourceCluster: mqtt },
        { ...pull, sourceCluster: rocketmq, targetCluster: mqtt, registeredTopic: registered('NORMAL', 'x') },
      ];
      for (const { sourceCluster = iot, ...more } of ends as Context[]) {
        const changes = 'source' in more ? pull : {};
        const context = { sourceCluster, ...more };
        expect(errorsOf({ ...changes, options: { retry: { preset: 'backoff' } } }, context)).toEqual([]);
        expect(errorsOf({ ...changes, options: { retry: custom } }, context)).toEqual([
          'options.retry.longestWaitSeconds: RETRY_WAITS_INVALID',
        ]);
      }
    });

    it('refuses a way that the source does not have, and names the one it has', () => {
      const { errors } = check({ options: { via: 'rule' } }, { sourceCluster: mqtt });
      expect(found(errors)).toEqual(['options.via: NOT_ON_THIS_PATH']);
      expect(errors[0]?.message).toContain('use "session"');
      for (const via of ['rule', 'session']) {
        expect(
          errorsOf({ ...pull, options: { via } }, { sourceCluster: rocketmq, targetCluster: iot }),
        ).toEqual(['options.via: NOT_ON_THIS_PATH']);
      }
    });
  });
});

describe('directionOf', () => {
  it('follows the source', () => {
    expect(directionOf(definitionWith())).toBe('mqtt-to-rocketmq');
    expect(directionOf(definitionWith({ source: { clusterId: 'business', topic: 'x' } }))).toBe(
      'rocketmq-to-mqtt',
    );
  });
});
