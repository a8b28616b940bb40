import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { checkBody } from '../../lib/adapters/rocketmq/body-check.ts';
import { decodeAnswerStatus } from '../../lib/adapters/rocketmq/consumer-answers.ts';
import { changedReceiptHandle } from '../../lib/adapters/rocketmq/receipt-handle.ts';
import { decodeReceiveAnswer } from '../../lib/adapters/rocketmq/received-message.ts';
import { BridgeError } from '../../lib/domain/errors/errors.ts';
import { createRocketmqToMqttMapper } from '../../lib/mapping/rocketmq-to-mqtt.ts';
import type { ReceivedMessage } from '../../lib/ports/message-consumer.ts';
import { statusOf } from '../helpers/fake-rocketmq-proxy.ts';
import { corpusOf, FUZZ, hostileBytes } from '../helpers/mutations.ts';
import { encodeReceived, receivedMessages, SOURCE, wireOf } from '../helpers/received-messages.ts';
import { toMqtt } from '../lib/mapping/definitions.ts';
import { failure } from '../lib/mapping/failure.ts';

const MESSAGE_TAG = 0x12;
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;
const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';
const answers = corpusOf(
  fc.oneof(
    { weight: 9, arbitrary: receivedMessages.map(encodeReceived) },
    {
      weight: 1,
      arbitrary: fc
        .record({ code: fc.nat(), text: fc.string() })
        .map((status) => wireOf(new rpc.ReceiveMessageResponse().setStatus(statusOf(status)))),
    },
  ),
);
const map = createRocketmqToMqttMapper(toMqtt({ target: { topic: 'a/${key:-none}' } }), TASK_ID);

describe('the answers of a receive', () => {
  it('are a message within their own bytes, a status, nothing, or a RangeError', () => {
    let read = 0;
    fc.assert(
      fc.property(hostileBytes(answers), (bytes) => {
        const answer = attempt(() => decodeReceiveAnswer(bytes, SOURCE));
        attempt(() => decodeAnswerStatus(bytes));
        if (answer?.kind !== 'message') return;
        read += 1;
        expectSane(answer.message, bytes);
      }),
      FUZZ,
    );
    expect(read).toBeGreaterThan(FUZZ.numRuns / 10);
  });

  it('have the body that the generated classes find in them', () => {
    let compared = 0;
    fc.assert(
      fc.property(hostileBytes(answers), (bytes) => {
        const ours = attempt(() => decodeReceiveAnswer(bytes, SOURCE));
        // Of bytes that hold something before the message, or two of them, each has its own view.
        if (ours?.kind !== 'message' || ours.message.isCorrupted || bytes[0] !== MESSAGE_TAG) return;
        const theirs = generated(bytes)?.getMessage();
        if (theirs === undefined) return;
        compared += 1;
        if (!ours.message.body.equals(theirs.getBody_asU8())) expect(ours.message.body).toEqual(theirs);
      }),
      FUZZ,
    );
    expect(compared).toBeGreaterThan(FUZZ.numRuns / 10);
  });
});

describe('packed bodies', () => {
  it('are unpacked, or marked; never thrown over, never beyond bounds', () => {
    const packed = corpusOf(fc.string({ maxLength: 2_000 }).map((text) => gzipSync(text)));
    const marks = fc.record({
      encoding: fc.constantFrom(0, 1, 2, 3),
      digestType: fc.nat({ max: 4 }),
      checksum: fc.constantFrom('', '0', 'zz', 'AAAAAAAA'),
    });
    fc.assert(
      fc.property(hostileBytes(packed), marks, (bytes, given) => {
        const { body, isCorrupted } = checkBody(bytes, given);
        return body === bytes || (!isCorrupted && given.encoding === 2);
      }),
      FUZZ,
    );
  });
});

function expectSane(message: ReceivedMessage, bytes: Buffer): void {
  const { bornTimeMs, body, receiptHandle, isCorrupted } = message;
  const most = isCorrupted ? bytes.length : MAX_UNPACKED_BYTES;
  if (!Number.isSafeInteger(bornTimeMs) || bornTimeMs < 0) expect(bornTimeMs).toBe(0);
  if (body.length > most) expect(body.length).toBe(most);
  if (typeof changedReceiptHandle(receiptHandle) !== 'string') expect(receiptHandle).toBe('');
  const error = failure(() => map(message, { receiptTimeMs: 2, sendTimeMs: 3 }));
  if (error !== undefined && !(error instanceof BridgeError && error.reaction === 'dead-letter')) throw error;
}

/** Undefined where they refuse the bytes: they look at all of them, ours stops behind the message. */
function generated(bytes: Buffer): InstanceType<typeof rpc.ReceiveMessageResponse> | undefined {
  try {
    return rpc.ReceiveMessageResponse.deserializeBinary(bytes);
  } catch {
    return undefined;
  }
}

function attempt<T>(action: () => T): T | undefined {
  let result: T | undefined;
  const error = failure(() => {
    result = action();
  });
  if (error !== undefined && !(error instanceof RangeError)) throw error;
  return result;
}
