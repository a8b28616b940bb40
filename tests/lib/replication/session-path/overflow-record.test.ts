import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryLargeBodies } from '../../../../lib/adapters/memory/large-bodies.ts';
import { decodeEnvelope } from '../../../../lib/mapping/envelope.ts';
import { decodeLargeEnvelope } from '../../../../lib/mapping/session-envelope.ts';
import { overflowBody, toOverflowGroup } from '../../../../lib/replication/session-path/overflow-record.ts';
import type { LaneItem } from '../../../../lib/replication/session-path/session-item.ts';
import { NOW_MS, TASK_ID } from '../../../helpers/rule-path.ts';

describe('toOverflowGroup', () => {
  it('keeps what SQS takes', () => {
    expect(toOverflowGroup('stations/7/status')).toBe('stations/7/status');
  });

  it('makes a group that SQS takes of any text, and different ones of different texts', () => {
    const group = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ minLength: 129 }));
    fc.assert(
      fc.property(group, group, (one, other) => {
        expect(toOverflowGroup(one)).toMatch(/^[\x21-\x7e]{1,128}$/);
        const wellFormed = one.isWellFormed() && other.isWellFormed();
        if (wellFormed) expect(toOverflowGroup(one) === toOverflowGroup(other)).toBe(one === other);
      }),
    );
  });
});

describe('overflowBody', () => {
  const itemOf = (payload: Buffer): LaneItem => {
    const message = { topicName: 'a', payload, userProperties: [] };
    return {
      delivery: {
        message,
        packetId: 1,
        isDuplicate: false,
        isRetained: false,
        bytes: payload.length,
        receivedAtMs: NOW_MS,
        accept: () => undefined,
      },
      source: message,
      provenance: { messageId: 'id', path: [], receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS },
      filterIndex: 2,
      groupKey: '',
      expiresAtMs: Number.POSITIVE_INFINITY,
      isSettled: false,
    };
  };
  const options = { taskId: TASK_ID, version: 3, id: 'put-1' };

  it('is the envelope', async () => {
    const text = await overflowBody(itemOf(Buffer.from('x')), {
      ...options,
      largeBodies: createMemoryLargeBodies(),
    });
    expect(decodeEnvelope(text)).toMatchObject({
      taskId: TASK_ID,
      filterIndex: 2,
      payload: Buffer.from('x'),
    });
  });

  it('names a large envelope, which is stored first', async () => {
    const largeBodies = createMemoryLargeBodies();
    const payload = Buffer.alloc(200_000, 'x');
    const text = await overflowBody(itemOf(payload), { ...options, largeBodies });
    const key = decodeLargeEnvelope(text)?.key ?? '';
    expect(key).toBe(`overflow/${TASK_ID}/put-1`);
    expect(decodeEnvelope((await largeBodies.get(key)) ?? '').payload).toEqual(payload);
  });

  it('is none when the large envelope could not be stored', async () => {
    const largeBodies = {
      put: async () => {
        throw new Error('away');
      },
    };
    const body = overflowBody(itemOf(Buffer.alloc(200_000)), { ...options, largeBodies });
    await expect(body).rejects.toThrow('away');
  });
});
