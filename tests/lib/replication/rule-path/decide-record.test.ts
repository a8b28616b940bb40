import { describe, expect, it } from '@jest/globals';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import { encodeSessionEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import { createCompiledTasks } from '../../../../lib/replication/compiled-tasks.ts';
import { decideRecord } from '../../../../lib/replication/rule-path/decide-record.ts';
import { type EnvelopeFields, NOW_MS, ruleTask, sourceRecord, TASK_ID } from '../../../helpers/rule-path.ts';

function decide(envelope: EnvelopeFields | string, task: Task = ruleTask()) {
  const compiled = createCompiledTasks()(task);
  if (compiled === undefined) throw new Error('not compiled');
  return decideRecord(sourceRecord(envelope, { recordId: 'record' }), task, compiled, NOW_MS);
}

describe('decideRecord', () => {
  it('maps a message that a filter matches', () => {
    const decision = decide({ payload: 'off', id: 'trace' });
    expect(decision).toMatchObject({
      kind: 'send',
      outgoing: { bytes: 3, mappedAtMs: NOW_MS, message: { rocketmqTopic: 'charger_status' } },
    });
    if (decision.kind !== 'send') throw new Error('not to be sent');
    const { message, remap } = decision.outgoing;
    expect(message.properties.get('mqferry_id')).toBe('trace');
    expect(remap(NOW_MS + 5).properties).toEqual(
      new Map([...message.properties, ['mqferry_send_time', String(NOW_MS + 5)]]),
    );
  });

  it('maps what a session has put there, whatever filter it came by', () => {
    const text = encodeSessionEnvelope({
      taskId: TASK_ID,
      version: 2,
      filterIndex: 9,
      messageId: 'given',
      receiptTimeMs: NOW_MS - 5_000,
      topicName: 'stations/7/status',
      payload: Buffer.from('off'),
      qos: 1,
      userProperties: [],
    });
    const decision = decide(text);
    if (decision.kind !== 'send') throw new Error('not to be sent');
    const { properties } = decision.outgoing.message;
    expect(properties.get('mqferry_id')).toBe('given');
    expect(properties.get('mqferry_receipt_time')).toBe(String(NOW_MS - 5_000));
    expect(properties.get('mqferry_send_time')).toBe(String(NOW_MS));
    expect(properties.get('mqtt_qos')).toBe('1');
  });

  it('names a message without a trace id by its record, which stays the same', () => {
    const decision = decide({});
    expect(decision).toMatchObject({ outgoing: { record: { recordId: 'record' } } });
    if (decision.kind === 'send')
      expect(decision.outgoing.message.properties.get('mqferry_id')).toBe('record');
  });

  it.each([
    ['{', 'ENVELOPE_INVALID'],
    ['{"v":9}', 'ENVELOPE_VERSION_UNKNOWN'],
  ])('makes a dead letter of %s', (text, code) => {
    expect(decide(text)).toMatchObject({ kind: 'dead-letter', error: { code } });
  });

  it('makes a dead letter of an envelope that belongs to another task', () => {
    expect(decide({ task: '01JD4YQ3V8F0G2H4J6K8M0N2P5' })).toMatchObject({
      kind: 'dead-letter',
      error: { code: 'ENVELOPE_OF_ANOTHER_TASK' },
    });
  });

  it('goes by the filters of now, not by those of the rule that wrote the envelope', () => {
    const task = ruleTask({ source: { clusterId: 'devices', topicFilters: ['sites/#'] } });
    expect(decide({ t: 'stations/7/status' }, task)).toEqual({ kind: 'skip', reason: 'filtered' });
    expect(decide({ t: 'sites/1', r: 1, f: 9 }, task)).toMatchObject({ kind: 'send' });
    // AWS IoT, unlike MQTT, does not match the parent level.
    expect(decide({ t: 'sites' }, task)).toEqual({ kind: 'skip', reason: 'filtered' });
  });

  it.each([
    [[TASK_ID], 1, 'skip'],
    [['OTHER'], 1, 'skip'],
    [['OTHER'], 2, 'send'],
    [['OTHER', TASK_ID], 5, 'skip'],
    [[], 1, 'send'],
  ])('with the path %j and %i hops allowed decides to %s', (path, maxHops, kind) => {
    const up = path.length === 0 ? [] : [{ mqferry_path: path.join(',') }];
    const decision = decide({ up }, ruleTask({ options: { maxHops } }));
    expect(decision.kind).toBe(kind);
    if (decision.kind === 'skip') expect(decision.reason).toBe('loopSkipped');
  });

  it('gives back what a fault of ours keeps it from deciding', () => {
    const task = ruleTask();
    const mapper = () => {
      throw new TypeError('bug');
    };
    const compiled = { mapper, selectRule: () => 0, hasFixedTopic: true, isGrouped: false, maxHops: 1 };
    expect(decideRecord(sourceRecord(), task, compiled, NOW_MS)).toMatchObject({
      kind: 'give-back',
      error: { code: 'INTERNAL_ERROR' },
    });
  });

  describe('with overlapping filters', () => {
    const topicFilters = ['+/7/status', 'stations/+/status'];
    const settled = { rules: {}, rulesVersion: 3, rulesSettledAtMs: NOW_MS - 100_000 };
    const task = (resources: Task['resources'] = settled) =>
      ruleTask({ source: { clusterId: 'devices', topicFilters } }, { resources });
    const second = { f: 1, r: 3, t: 'stations/7/status', ts: NOW_MS - 40_000 };

    it('leaves out the copy of the higher rule', () => {
      expect(decide(second, task())).toEqual({ kind: 'skip', reason: 'overlap' });
    });

    it.each<[string, EnvelopeFields, Task['resources']]>([
      ['the copy of the lowest rule', { ...second, f: 0 }, settled],
      ['what only the higher rule matches', { ...second, t: 'stations/8/status' }, settled],
      ['a copy of rules that were made for another version', { ...second, r: 2 }, settled],
      ['a copy while the rules in the cloud are of another version', second, { ...settled, rulesVersion: 2 }],
      ['a copy while not all rules are enabled', second, { rules: {}, rulesVersion: 3 }],
      [
        'a copy from within 60 s after the last rule was enabled',
        { ...second, ts: NOW_MS - 40_001 },
        settled,
      ],
      ['a copy from before the rules were enabled', { ...second, ts: NOW_MS - 200_000 }, settled],
      ['a copy of unknown time', { ...second, ts: undefined as never }, settled],
    ])('carries %s', (_what, envelope, resources) => {
      expect(decide(envelope, task(resources)).kind).toBe('send');
    });
  });
});
