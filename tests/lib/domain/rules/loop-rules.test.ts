import { describe, expect, it } from '@jest/globals';
import { checkLoops } from '../../../../lib/domain/rules/loop-rules.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

const there = (topicFilters: string[], topic: string) =>
  definitionWith({
    source: { clusterId: 'devices', topicFilters },
    target: { clusterId: 'business', topic },
  });
const back = (topic: string, mqttTopic: string, source: object = {}) =>
  definitionWith({
    source: { clusterId: 'business', topic, ...source },
    target: { clusterId: 'devices', topic: mqttTopic },
  });
const codes = ({ errors, warnings }: ReturnType<typeof checkLoops>) =>
  [...errors, ...warnings].map(({ field, code }) => `${field}: ${code}`);

/** The same, whichever of the two is there first. */
function loopsOf(
  one: ReturnType<typeof there>,
  other: ReturnType<typeof back>,
  dialect: 'mqtt' | 'aws-iot' = 'mqtt',
) {
  const found = codes(checkLoops(one, [{ taskId: 'T2', definition: other }], dialect));
  expect(codes(checkLoops(other, [{ taskId: 'T1', definition: one }], dialect))).toEqual(found);
  return found;
}

const CERTAIN = ['target.topic: LOOP'];
const POSSIBLE = ['target.topic: LOOP_POSSIBLE'];

describe('checkLoops', () => {
  it.each([
    [['a/b'], 't', 'a/b'],
    [['a/#'], 't', 'a/${key}'],
    [['x', 'stations/+/status'], 't', 'stations/${key}/status'],
    [['#'], 't', 'a/${topic}'],
    [['stations/+/status'], 't', '${topic}'],
  ])('refuses what goes round for certain: %j → %s → %s', (topicFilters, topic, mqttTopic) => {
    expect(loopsOf(there(topicFilters, topic), back(topic, mqttTopic))).toEqual(CERTAIN);
  });

  it.each([
    ['a literal topic that one filter value meets', there(['a/b'], 't'), back('t', 'a/${key}')],
    ['a rendered RocketMQ topic', there(['a/#'], 't_${topic[2]}'), back('t_x', 'a/b')],
    ['a filter by tag', there(['a/#'], 't'), back('t', 'a/b', { filter: { type: 'tag', expression: 'x' } })],
    [
      'a filter by SQL92',
      there(['a/#'], 't'),
      back('t', 'a/b', { filter: { type: 'sql92', expression: 'x' } }),
    ],
    ['a topic below another one', there(['a/+'], 't'), back('t', 'a/${topic}')],
  ])('warns of what may go round: %s', (_, one, other) => {
    expect(loopsOf(one, other)).toEqual(POSSIBLE);
  });

  it.each([
    ['other MQTT topics', there(['stations/+/status'], 't'), back('t', 'stations/${key}/commands')],
    ['another RocketMQ topic', there(['a'], 't'), back('u', 'a')],
    ['a rendered topic that never is that', there(['a'], 't_${topic[1]}'), back('u_x', 'a')],
  ])('has nothing to say of %s', (_, one, other) => {
    expect(loopsOf(one, other)).toEqual([]);
  });

  it('compares ends on the same clusters only', () => {
    const elsewhere = { ...back('t', 'a'), target: { clusterId: 'factory', topic: 'a' } };
    expect(loopsOf(there(['a'], 't'), elsewhere)).toEqual([]);
    const otherBusiness = { ...back('t', 'a'), source: { clusterId: 'archive', topic: 't' } };
    expect(loopsOf(there(['a'], 't'), otherBusiness)).toEqual([]);
  });

  it('knows that on AWS IoT Core a/# does not match a', () => {
    expect(loopsOf(there(['a/#'], 't'), back('t', 'a'), 'mqtt')).toEqual(CERTAIN);
    expect(loopsOf(there(['a/#'], 't'), back('t', 'a'), 'aws-iot')).toEqual([]);
  });

  it('names the other task, each one', () => {
    const others = ['T1', 'T2'].map((taskId) => ({ taskId, definition: back('t', 'a') }));
    const { errors } = checkLoops(there(['a'], 't'), others, 'mqtt');
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining('(T1)'),
      expect.stringContaining('(T2)'),
    ]);
    expect(errors[0]?.message).toContain(others[0]?.definition.taskName);
  });

  it('sees no loop between tasks of one direction', () => {
    const others = [{ taskId: 'T2', definition: there(['a'], 't') }];
    expect(codes(checkLoops(there(['a'], 't'), others, 'mqtt'))).toEqual([]);
  });
});
