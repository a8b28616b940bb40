import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Publish } from '../../../../lib/adapters/mqtt/session-publish.ts';
import { HeldDelivery, SessionWindow } from '../../../../lib/adapters/mqtt/session-window.ts';
import { HELD_DELIVERY_BYTES } from '../../../../lib/ports/mqtt-session.ts';

const publishOf = (packetId: number, changes: Partial<Publish> = {}): Publish => ({
  message: { topicName: 'a', payload: Buffer.alloc(0), userProperties: [] },
  qos: packetId === 0 ? 0 : 1,
  retain: false,
  isDuplicate: false,
  packetId,
  filterIndex: -1,
  bytes: 100,
  ...changes,
});

/** A window, and what it did. */
function open(maxPendingBytes = 1_000_000) {
  const writes: Buffer[] = [];
  const flow: string[] = [];
  const window = new SessionWindow({
    maxPendingBytes,
    write: (bytes) => writes.push(bytes),
    hold: () => flow.push('hold'),
    release: () => flow.push('release'),
  });
  const take = (publish: Publish) => {
    const number = window.add(publish);
    return number === undefined
      ? undefined
      : new HeldDelivery(window, number, publish, { isRetained: false, receivedAtMs: 0 });
  };
  return { window, writes, flow, take, acknowledged: () => idsOf(writes) };
}

function idsOf(writes: readonly Buffer[]): string[] {
  const all = Buffer.concat(writes);
  return Array.from(
    { length: all.length / 4 },
    (_, index) => `${all.toString('hex', index * 4, index * 4 + 2)} ${all.readUInt16BE(index * 4 + 2)}`,
  );
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('SessionWindow', () => {
  it('acknowledges the accepted prefix in order of arrival, whatever the order of acceptance', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 0xffff }), { minLength: 1, maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        async (ids, picks) => {
          const { take, acknowledged } = open();
          const deliveries = ids.map((id) => take(publishOf(id)));
          const accepted = new Set<number>();
          for (const pick of picks) {
            const index = pick % ids.length;
            accepted.add(index);
            deliveries[index]?.accept();
          }
          await turn();
          const prefix = ids.findIndex((_, index) => !accepted.has(index));
          const expected = prefix < 0 ? ids : ids.slice(0, prefix);
          expect(acknowledged()).toEqual(expected.map((id) => `4002 ${id}`));
        },
      ),
    );
  });

  it('keeps the order over many times its first size, with ids used again', async () => {
    const { window, take, acknowledged } = open();
    const expected: string[] = [];
    let waiting: (HeldDelivery | undefined)[] = [];
    for (let index = 0; index < 20_000; index += 1) {
      const id = (index % 6_000) + 1;
      expected.push(`4002 ${id}`);
      waiting.push(take(publishOf(id)));
      if (waiting.length < 3_000) continue;
      for (const delivery of waiting.toReversed()) delivery?.accept();
      waiting = [];
      window.flush();
    }
    for (const delivery of waiting) delivery?.accept();
    window.flush();
    expect(acknowledged()).toEqual(expected);
  });

  it('sends all that is accepted in one turn in one write', async () => {
    const { take, writes } = open();
    const deliveries = [1, 2, 3].map((id) => take(publishOf(id)));
    for (const delivery of deliveries) delivery?.accept();
    expect(writes).toEqual([]);
    await turn();
    expect(writes).toHaveLength(1);
  });

  it('joins a copy of what is in flight, accepted or not', async () => {
    const { take, acknowledged } = open();
    const first = take(publishOf(1));
    const second = take(publishOf(2));
    second?.accept();
    expect(take(publishOf(1, { isDuplicate: true }))).toBeUndefined();
    expect(take(publishOf(2, { isDuplicate: true }))).toBeUndefined();
    first?.accept();
    await turn();
    expect(acknowledged()).toEqual(['4002 1', '4002 2']);
  });

  it('takes a copy of what is acknowledged for another delivery', async () => {
    const { take, acknowledged } = open();
    take(publishOf(1))?.accept();
    await turn();
    take(publishOf(1, { isDuplicate: true }))?.accept();
    await turn();
    expect(acknowledged()).toEqual(['4002 1', '4002 1']);
  });

  it('acknowledges an id that a broker used twice only when both messages are accepted', async () => {
    const { take, acknowledged } = open();
    const first = take(publishOf(1));
    const second = take(publishOf(1));
    first?.accept();
    await turn();
    expect(acknowledged()).toEqual([]);
    second?.accept();
    await turn();
    expect(acknowledged()).toEqual(['4002 1']);
  });

  it('answers QoS 2 by PUBREC, and QoS 0 not at all', async () => {
    const { take, acknowledged } = open();
    const deliveries = [publishOf(0), publishOf(5, { qos: 2 }), publishOf(0)].map(take);
    for (const delivery of deliveries) delivery?.accept();
    await turn();
    expect(acknowledged()).toEqual(['5002 5']);
  });

  it('holds from its bound on, and releases below it', () => {
    const { take, flow } = open(3 * (100 + HELD_DELIVERY_BYTES));
    const [first, second] = [1, 0, 2].map((id) => take(publishOf(id)));
    expect(flow).toEqual(['hold']);
    take(publishOf(3));
    first?.accept();
    expect(flow).toEqual(['hold']);
    second?.accept();
    second?.accept();
    expect(flow).toEqual(['hold', 'release']);
  });

  it('counts what a message takes beside its packet, so that many small ones are bounded too', () => {
    const { take, flow } = open(1_000_000);
    let taken = 0;
    while (flow.length === 0 && taken < 10_000) {
      taken += 1;
      take(publishOf(taken, { bytes: 33 }));
    }
    expect(taken).toBeLessThan(1_000);
  });

  it('does nothing more once closed', async () => {
    const { window, take, writes, flow } = open(100);
    const delivery = take(publishOf(1));
    window.close();
    delivery?.accept();
    window.flush();
    await turn();
    expect([writes, flow]).toEqual([[], ['hold']]);
  });
});
