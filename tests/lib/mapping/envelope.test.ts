import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeEnvelope, isRuleEnvelope, messageOfEnvelope } from '../../../lib/mapping/envelope.ts';
import type { RuleEnvelope } from '../../../lib/mapping/rule-envelope.ts';
import {
  decodeLargeEnvelope,
  SESSION_ENVELOPE_VERSION,
  type SessionEnvelope,
} from '../../../lib/mapping/session-envelope.ts';
import { failure } from './failure.ts';

const FIXTURES = new URL('../../fixtures/envelopes/', import.meta.url);
const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const MINIMAL = { v: 1, task: TASK_ID, r: 3, f: 0, t: 'a' };

describe('decodeEnvelope', () => {
  it('reads every released envelope', () => {
    const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
    expect(names.length).toBeGreaterThanOrEqual(9);
    for (const name of names) {
      const text = JSON.stringify(JSON.parse(fixture(name)));
      const envelope = decodeLargeEnvelope(text) ?? decodeEnvelope(text);
      expect(envelope).toMatchObject({ taskId: TASK_ID, version: 3 });
    }
  });

  it('reads MQTT 5 properties with order, repetitions and odd names of user properties', () => {
    expect(decodeEnvelope(fixture('aws-mqtt5-user-properties.json'))).toEqual({
      taskId: TASK_ID,
      version: 3,
      ruleNumber: 0,
      topicName: 'stations/4711/status',
      clientId: 'charger-4711',
      ruleTimeMs: 1764000000123,
      traceId: '0f8fad5b-d9cb-469f-a165-70867728950e',
      payload: Buffer.from('{"error":"E12","site":"berlin"}'),
      userProperties: [
        ['site', 'berlin'],
        ['firmware', '1.2.3'],
        ['site', 'hall-7'],
        ['__proto__', 'own'],
        ['9', 'nine'],
        ['', 'nameless'],
        ['empty', ''],
        ['KEYS', 'reserved'],
        ['note', 'tab\there'],
        ['gr\u00f6\u00dfe', '\u00fc'],
      ],
      contentType: 'application/json',
      payloadFormat: 1,
      responseTopic: 'stations/4711/replies',
      correlationData: Buffer.from([0, 1, 254, 255]),
    });
  });

  it('reads a binary payload byte for byte, and takes the default format for none', () => {
    const envelope = decodeEnvelope(fixture('aws-mqtt311-binary.json'));
    expect(envelope.payload).toEqual(Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
    expect(envelope).not.toHaveProperty('payloadFormat');
  });

  it('knows no client where there was none', () => {
    const envelope = decodeEnvelope(fixture('aws-https-publish.json'));
    expect(envelope).not.toHaveProperty('clientId');
    expect(envelope).not.toHaveProperty('traceId');
  });

  it('reads the emulator, which leaves out what it does not know', () => {
    expect(decodeEnvelope(fixture('emulator-will.json'))).toEqual({
      taskId: TASK_ID,
      version: 3,
      ruleNumber: 0,
      topicName: 'stations/4711/status',
      ruleTimeMs: 1764000001000,
      traceId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      payload: Buffer.from('offline'),
      userProperties: [],
    });
  });

  it('takes an absent payload, and null anywhere, for nothing', () => {
    const nothing = {
      c: null,
      ts: null,
      id: null,
      p: null,
      up: null,
      ct: null,
      fi: null,
      rt: null,
      cd: null,
    };
    const expected = decodeEnvelope(JSON.stringify(MINIMAL));
    expect(expected.payload).toHaveLength(0);
    expect(decodeEnvelope(JSON.stringify({ ...MINIMAL, ...nothing }))).toEqual(expected);
  });

  it.each<[what: string, text: string]>([
    ['no JSON object', 'not json'],
    ['no JSON object', '[]'],
    ['no JSON object', 'null'],
    ['no JSON object', '1'],
    ['a wrong v', '{}'],
    ['a wrong v', '{"v":"1"}'],
    ['a wrong v', '{"v":-1}'],
    ...(['task', 'r', 'f', 't'] as const).map((name): [string, string] => [
      `no ${name}`,
      changed({ [name]: undefined }),
    ]),
    ['a wrong task', changed({ task: 1 })],
    ['a wrong r', changed({ r: '3' })],
    ['a wrong f', changed({ f: 0.5 })],
    ['a wrong t', changed({ t: [] })],
    ['a wrong c', changed({ c: {} })],
    ['a wrong ts', changed({ ts: -1 })],
    ['a wrong id', changed({ id: 7 })],
    ['a wrong p', changed({ p: 'a' })],
    ['a wrong p', changed({ p: 'YQ' })],
    ['a wrong p', changed({ p: '****' })],
    ['a wrong p', changed({ p: { payload: 1 } })],
    ['a wrong up', changed({ up: {} })],
    ['a wrong up', changed({ up: ['a'] })],
    ['a wrong up', changed({ up: [{}] })],
    ['a wrong up', changed({ up: [{ a: 1 }] })],
    ['a wrong up', changed({ up: [{ a: 'x', b: 'y' }] })],
    ['a wrong up', changed({ up: [['a', 'x']] })],
    ['a wrong ct', changed({ ct: 1 })],
    ['a wrong fi', changed({ fi: 'UTF16' })],
    ['a wrong rt', changed({ rt: true })],
    ['a wrong cd', changed({ cd: 'a' })],
  ])('refuses an envelope that has %s: %s', (what, text) => {
    expect(failure(() => decodeEnvelope(text))).toMatchObject({
      name: 'UnmappableMessageError',
      code: 'ENVELOPE_INVALID',
      reaction: 'dead-letter',
      message: `the envelope has ${what}`,
    });
  });

  it('refuses a version that a later release wrote', () => {
    expect(failure(() => decodeEnvelope(changed({ v: SESSION_ENVELOPE_VERSION + 1 })))).toMatchObject({
      code: 'ENVELOPE_VERSION_UNKNOWN',
      reaction: 'dead-letter',
    });
  });

  it('throws nothing but its own error, whatever the text', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .dictionary(fc.constantFrom('c', 'ts', 'id', 'p', 'up', 'ct', 'fi', 'rt', 'cd'), fc.jsonValue())
        .map(changed),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const error = failure(() => decodeEnvelope(text));
        if (error !== undefined)
          expect(error).toMatchObject({ name: 'UnmappableMessageError', reaction: 'dead-letter' });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('messageOfEnvelope', () => {
  const receipt = { recordId: 'record', receiptTimeMs: 2, sendTimeMs: 3 };

  it('hands on what the envelope knows, and nothing else', () => {
    const envelope = ruleEnvelope(fixture('aws-mqtt5-user-properties.json'));
    const { topicName, payload, userProperties, clientId, contentType, responseTopic, correlationData } =
      envelope;
    expect(messageOfEnvelope(envelope, receipt)).toEqual({
      message: {
        topicName,
        payload,
        userProperties,
        clientId,
        contentType,
        responseTopic,
        correlationData,
        payloadFormat: 1,
      },
      provenance: {
        messageId: '0f8fad5b-d9cb-469f-a165-70867728950e',
        path: [],
        sourceTimeMs: 1764000000123,
        receiptTimeMs: 2,
        sendTimeMs: 3,
      },
    });
    expect(messageOfEnvelope(decodeEnvelope(JSON.stringify(MINIMAL)), receipt)).toEqual({
      message: { topicName: 'a', payload: Buffer.alloc(0), userProperties: [] },
      provenance: { messageId: 'record', path: [], receiptTimeMs: 2, sendTimeMs: 3 },
    });
  });

  it('keeps when and as what a session received, and hands on the message only', () => {
    const message = { topicName: 'a', payload: Buffer.of(1), qos: 1 as const, expirySeconds: 60 };
    const envelope: SessionEnvelope = {
      ...message,
      taskId: TASK_ID,
      version: 3,
      filterIndex: 0,
      messageId: 'given',
      receiptTimeMs: 1,
      userProperties: [
        ['site', 'berlin'],
        ['mqferry_path', 'A'],
      ],
    };
    expect(messageOfEnvelope(envelope, receipt)).toEqual({
      message: { ...message, userProperties: [['site', 'berlin']] },
      provenance: { messageId: 'given', path: ['A'], receiptTimeMs: 1, sendTimeMs: 3 },
    });
  });

  it('takes the marks of earlier tasks off and makes them the path', () => {
    const envelope: RuleEnvelope = {
      ...ruleEnvelope(JSON.stringify(MINIMAL)),
      userProperties: [
        ['mqferry_path', 'A,B'],
        ['site', 'berlin'],
        ['mqferry_id', 'earlier'],
        ['mqferry_send_time', '1'],
        ['mqferry_other', 'mine'],
      ],
    };
    const { message, provenance } = messageOfEnvelope(envelope, receipt);
    expect(provenance).toEqual({ messageId: 'record', path: ['A', 'B'], receiptTimeMs: 2, sendTimeMs: 3 });
    expect(message.userProperties).toEqual([
      ['site', 'berlin'],
      ['mqferry_other', 'mine'],
    ]);
  });
});

function ruleEnvelope(text: string): RuleEnvelope {
  const envelope = decodeEnvelope(text);
  if (isRuleEnvelope(envelope)) return envelope;
  throw new Error('no rule envelope');
}

function changed(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...MINIMAL, ...fields });
}

function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}
