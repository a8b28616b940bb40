import { expect, it } from '@jest/globals';
import { type Lacks, numbered, payloads, type SessionWorld } from './kit.ts';

/** Who has the session, and how it ends. */
export function describeConnections(world: SessionWorld, lacks: Lacks): void {
  const { connect, publish, queued } = world;

  it('ends the older connection when another takes over, and says so to it alone', async () => {
    const older = await connect();
    const newer = await connect();
    expect(await older.closed()).toMatchObject(
      lacks.takeoverReason
        ? { reaction: 'retry', scope: 'cluster' }
        : { code: 'CLIENT_ID_TAKEN', reaction: 'hold', scope: 'cluster' },
    );
    await publish(['x']);
    await newer.received(1);
    expect(newer.closings).toEqual([]);
    expect(older.closings).toHaveLength(1);
  });

  it('says nothing of a takeover once it takes no more, and can still accept until then', async () => {
    const older = await queued(numbered(4));
    await older.received(4);
    older.session.stopTaking();
    older.accept((_, index) => index < 3);
    await publish(['late']);
    await older.quiet();
    const newer = await connect({ acceptAtOnce: true });
    await newer.received(2);
    expect(payloads(newer)).toEqual(['3', 'late']);
    expect(payloads(older)).toEqual(numbered(4));
    await older.session.close();
    expect(older.closings).toEqual([]);
  });

  it('leaves nothing behind when the session is ended', async () => {
    const first = await connect();
    await publish(['unaccepted']);
    await first.received(1);
    await first.session.close({ endSession: true });
    await publish(['for nobody']);
    const second = await connect();
    expect(second.session.isResumed).toBe(false);
    await second.quiet();
    expect(payloads(second)).toEqual([]);
  });
}
