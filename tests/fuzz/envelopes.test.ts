import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeadLetterAnswer, deadLetterAnswer } from '../../lib/api/dead-letter-schemas.ts';
import type { DeadLetter, DeadLetterOrigin } from '../../lib/domain/dead-letters/dead-letter.ts';
import { encodeHandOver } from '../../lib/domain/dead-letters/dead-letter.ts';
import { BridgeError } from '../../lib/domain/errors/errors.ts';
import type { ReceivedRocketmqMessage } from '../../lib/domain/messages/message.ts';
import { readDeadLetter } from '../../lib/mapping/dead-letter-content.ts';
import { decodeEnvelope, isRuleEnvelope, messageOfEnvelope } from '../../lib/mapping/envelope.ts';
import { createMqttToRocketmqMapper } from '../../lib/mapping/mqtt-to-rocketmq.ts';
import { decodeRocketmqEnvelope, encodeRocketmqEnvelope } from '../../lib/mapping/rocketmq-envelope.ts';
import { createRocketmqToMqttMapper } from '../../lib/mapping/rocketmq-to-mqtt.ts';
import {
  decodeLargeEnvelope,
  encodeLargeEnvelope,
  encodeSessionEnvelope,
} from '../../lib/mapping/session-envelope.ts';
import { deadLetterOf } from '../../lib/replication/dead-letters/hand-over-shapes.ts';
import { corpusOf, FUZZ, hostileBytes, hostileJson } from '../helpers/mutations.ts';
import { toMqtt, toRocketmq } from '../lib/mapping/definitions.ts';
import { failure } from '../lib/mapping/failure.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
/** Stands in payloads, property values and correlation data: no error may quote it. */
const SECRET = 'pLaNtEd';
const planted = fc.constantFrom('', SECRET, `{"a":"${SECRET}"}`, `${SECRET}\u0085`, '\u0000');
const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const base64 = fc.oneof(planted, text).map((value) => Buffer.from(value).toString('base64'));
const pairs = fc.array(
  fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', 'mqferry_path', 'mqtt_qos')), planted),
  {
    maxLength: 4,
  },
);

const ruleEnvelopes = fc.record(
  {
    v: fc.constant(1),
    task: fc.constant(TASK_ID),
    r: fc.nat(),
    f: fc.nat({ max: 9 }),
    t: fc.constantFrom('stations/4711/status', 'a', ''),
    c: text,
    ts: fc.nat(),
    id: fc.uuid(),
    p: base64,
    up: pairs.map((list) => list.map(([name, value]) => Object.fromEntries([[name, value]]))),
    ct: text,
    fi: fc.constantFrom('UTF8_DATA', 'UNSPECIFIED_BYTES'),
    rt: text,
    cd: base64,
  },
  { requiredKeys: ['v', 'task', 'r', 'f', 't'], noNullPrototype: true },
);
const sessionEnvelopes = fc.record(
  {
    v: fc.constant(2),
    task: fc.constant(TASK_ID),
    r: fc.nat(),
    f: fc.nat({ max: 9 }),
    id: fc.uuid(),
    ts: fc.nat(),
    t: fc.constantFrom('stations/4711/status', 'a'),
    q: fc.nat({ max: 2 }),
    re: fc.boolean(),
    up: pairs,
    ct: text,
    rt: text,
    cd: base64,
    fi: fc.nat({ max: 1 }),
    ex: fc.nat(),
    p: base64,
  },
  { requiredKeys: ['v', 'task', 'r', 'id', 'ts', 't'], noNullPrototype: true },
);
const rocketmqEnvelopes = fc.record(
  {
    v: fc.constant(3),
    task: fc.constant(TASK_ID),
    r: fc.nat(),
    id: fc.uuid(),
    born: fc.nat(),
    cg: text,
    t: fc.constant('charger_commands'),
    tag: text,
    keys: fc.array(text, { maxLength: 3 }),
    mg: text,
    up: pairs,
    p: base64,
  },
  { requiredKeys: ['v', 'task', 'r', 'id', 'born', 'cg', 't'], noNullPrototype: true },
);
const handOvers = fc
  .record({
    taskId: fc.constant(TASK_ID),
    version: fc.nat(),
    code: fc.constant('TEMPLATE_VALUE_MISSING'),
    reason: text,
    recordId: fc.uuid(),
    envelope: ruleEnvelopes.map((envelope) => JSON.stringify(envelope)),
    attempts: fc.nat(),
    firstSeenAtMs: fc.nat(),
    failedAtMs: fc.nat(),
  })
  .map((entry) => JSON.parse(encodeHandOver(entry)) as unknown);
const ruleErrors = fc.record({
  ruleName: fc.constantFrom(`mqferry_dev_0a1b2c3d_${TASK_ID}_1`, 'another'),
  topic: text,
  base64OriginalPayload: base64,
  failures: fc.array(fc.record({ failedAction: text, errorMessage: text }), { maxLength: 2 }),
});

const receipt = { recordId: 'record-1', receiptTimeMs: 2, sendTimeMs: 3 };
const mappers = [
  toRocketmq({ target: { topic: 't', tag: '${topic[3]:-x}', keys: ['${payload.a}', '${prop.site:-none}'] } }),
  toRocketmq({
    target: { topic: '${topic[1]}', messageGroup: '${topic}' },
    options: { oversize: 'envelope' },
  }),
  toRocketmq({ options: { propertyNames: 'alibaba' } }),
  toRocketmq({ options: { propertyNames: 'rocketmq-mqtt' } }),
].map((definition) => createMqttToRocketmqMapper(definition, TASK_ID));
const backMappers = (['native', 'alibaba', 'rocketmq-mqtt'] as const).map((propertyNames) =>
  createRocketmqToMqttMapper(
    toMqtt({
      target: { topic: 'a/${key:-none}', qos: '${prop.q:-1}' },
      options: { propertyNames, maxHops: 5 },
    }),
    TASK_ID,
  ),
);

describe('the envelopes of the task queues', () => {
  it('are read, or refused by their type and without a word of the message, and read again as the same', () => {
    let read = 0;
    fc.assert(
      fc.property(hostileJson(corpusOf(fc.oneof(ruleEnvelopes, sessionEnvelopes))), (body) => {
        const envelope = attempt(() => decodeEnvelope(body));
        if (envelope === undefined) return;
        read += 1;
        const { message, provenance } = messageOfEnvelope(envelope, receipt);
        for (const map of mappers) attempt(() => map(message, provenance));
        if (!isRuleEnvelope(envelope)) expectSame(decodeEnvelope(encodeSessionEnvelope(envelope)), envelope);
      }),
      FUZZ,
    );
    // The cases are no mere noise.
    expect(read).toBeGreaterThan(FUZZ.numRuns / 10);
  });

  it('that lie elsewhere are told from all others', () => {
    const large = fc
      .record({ taskId: text, version: fc.nat(), key: text })
      .map((envelope) => JSON.parse(encodeLargeEnvelope(envelope)) as unknown);
    fc.assert(
      fc.property(hostileJson(corpusOf(fc.oneof(large, sessionEnvelopes))), (body) => {
        const envelope = attempt(() => decodeLargeEnvelope(body));
        if (envelope !== undefined)
          expect(decodeLargeEnvelope(encodeLargeEnvelope(envelope))).toEqual(envelope);
      }),
      FUZZ,
    );
  });
});

describe('the envelopes of pulled messages', () => {
  it('are read, or refused by their type, and read again as the same', () => {
    fc.assert(
      fc.property(hostileJson(corpusOf(rocketmqEnvelopes)), (body) => {
        const envelope = attempt(() => decodeRocketmqEnvelope(body));
        if (envelope === undefined) return;
        expectSame(decodeRocketmqEnvelope(encodeRocketmqEnvelope(envelope)), envelope);
      }),
      FUZZ,
    );
  });
});

describe('properties that mqferry might have written', () => {
  it('make an MQTT message, are skipped, or are refused by their type', () => {
    const ours = fc.constantFrom(
      ...['mqtt_topic', 'mqtt_qos', 'mqtt_retain', 'mqtt_up', 'mqtt_env', 'mqtt_expiry', 'mqtt_empty'],
      ...['mqtt_correlation_data', 'mqtt_payload_format', 'mqferry_path', 'mqferry_receipt_time', 'rmq_up'],
      ...['mqtt_topic_b64', 'extData', 'qoslevel', 'mqttSecondTopic', 'originMqttTopic', 'retryCount'],
    );
    const written = fc.oneof(
      planted,
      fc.constantFrom('1', '0', '-1', 'true', '=', 'AA==', '[["a","b"]]', '[["a"]]', '{}', '1e999', TASK_ID),
      hostileJson(corpusOf(pairs)),
    );
    const packed = hostileBytes(
      corpusOf(fc.tuple(pairs, fc.string())).map(([list, payload]) => {
        const inside = Buffer.from(JSON.stringify(list));
        const length = Buffer.alloc(4);
        length.writeUInt32BE(inside.length);
        return Buffer.concat([length, inside, Buffer.from(payload)]);
      }),
    );
    const messages: fc.Arbitrary<ReceivedRocketmqMessage> = fc.record({
      rocketmqTopic: fc.constant('charger_commands'),
      body: packed,
      keys: fc.array(text, { maxLength: 2 }),
      properties: fc
        .array(fc.tuple(fc.oneof(ours, text), written), { maxLength: 6 })
        .map((list) => new Map(list)),
      messageId: text,
      bornTimeMs: fc.oneof(fc.nat(), fc.constantFrom(8.64e15 + 1, 2 ** 63 * 1000, Number.POSITIVE_INFINITY)),
    });
    fc.assert(
      fc.property(messages, (message) => {
        for (const map of backMappers) attempt(() => map(message, { receiptTimeMs: 2, sendTimeMs: 3 }));
      }),
      FUZZ,
    );
  });
});

describe('dead letters', () => {
  it('are made of whatever the hand-over queue holds', () => {
    const bodies = hostileJson(corpusOf(fc.oneof(handOvers, ruleErrors, ruleEnvelopes)));
    fc.assert(
      fc.property(bodies, (body) => {
        const letter = deadLetterOf(
          { recordId: 'r', body, receiveCount: 3, sentTimeMs: 1, firstReceiveTimeMs: 2 },
          3,
        );
        showable(letter);
        return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(letter.deadLetterId);
      }),
      FUZZ,
    );
  });

  it('can be shown, whatever is in them', () => {
    const bodies = hostileJson(
      corpusOf(fc.oneof(ruleEnvelopes, sessionEnvelopes, rocketmqEnvelopes, ruleErrors)),
    );
    const origins = fc.constantFrom<DeadLetterOrigin>('forward', 'pull', 'queue', 'rule', 'unknown');
    fc.assert(
      fc.property(bodies, origins, (body, origin) => {
        showable({
          deadLetterId: '01JD4YQ3V8F0G2H4J6K8M0N2P5',
          taskId: TASK_ID,
          origin,
          version: 1,
          code: 'X',
          reason: 'x',
          body,
          attempts: 1,
          firstSeenAtMs: 1,
          failedAtMs: 2,
          storedAtMs: 3,
        });
      }),
      FUZZ,
    );
  });
});

function showable(letter: DeadLetter): void {
  const answer = deadLetterAnswer(letter, readDeadLetter(letter));
  if (!DeadLetterAnswer.safeParse(answer).success) expect(DeadLetterAnswer.parse(answer)).toEqual(answer);
}

/** What comes of it; undefined for an error of the data plane, which is to be a dead letter and to quote nothing. */
function attempt<T>(action: () => T): T | undefined {
  let result: T | undefined;
  const error = failure(() => {
    result = action();
  });
  if (error === undefined) return result;
  if (!(error instanceof BridgeError)) throw error;
  if (error.reaction !== 'dead-letter' || `${error.message} ${error.hint ?? ''}`.includes(SECRET))
    throw error;
  return undefined;
}

function expectSame(actual: object, expected: object): void {
  if (!isDeepStrictEqual({ ...actual }, { ...expected })) expect(actual).toEqual(expected);
}
