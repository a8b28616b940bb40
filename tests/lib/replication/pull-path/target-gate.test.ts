import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '../../../../lib/adapters/memory/clock.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';
import { createTargetGate } from '../../../../lib/replication/pull-path/target-gate.ts';

const away = new BrokerUnavailableError('away');
const never = new AbortController().signal;

function world() {
  const clock = createManualClock();
  const told: string[] = [];
  const gate = createTargetGate({
    clock,
    random: () => 0.5,
    onOpen: () => told.push('open'),
    onClose: () => told.push('closed'),
  });
  return { clock, gate, told };
}

describe('createTargetGate', () => {
  it('lets everybody through while it is open', async () => {
    const { gate } = world();
    const leaves = await Promise.all(Array.from({ length: 1_000 }, () => gate.enter(never)));
    expect(leaves.every((leave) => leave !== undefined)).toBe(true);
    expect(gate.isOpen).toBe(true);
  });

  it('gives leave at once to whom nothing keeps waiting, and to nobody else', () => {
    const { gate } = world();
    const leave = gate.enterAtOnce(never);
    expect(leave).toBeDefined();
    expect(gate.enterAtOnce(AbortSignal.abort())).toBeUndefined();
    gate.close(away);
    leave?.();
    expect(gate.enterAtOnce(never)).toBeUndefined();
    // Open again, for two side by side at first.
    gate.accepted();
    const leaves = [gate.enterAtOnce(never), gate.enterAtOnce(never), gate.enterAtOnce(never)];
    expect(leaves.map((given) => given !== undefined)).toEqual([true, true, false]);
    leaves[0]?.();
    expect(gate.enterAtOnce(never)).toBeDefined();
  });

  it('lets one try after the other once it is closed, and more and more when one goes through', async () => {
    const { gate, clock, told } = world();
    gate.close(away);
    let trying = 0;
    let most = 0;
    let works = false;
    const attempts = Array.from({ length: 64 }, async () => {
      for (;;) {
        const leave = await gate.enter(never);
        trying += 1;
        most = Math.max(most, trying);
        await clock.sleep(10);
        trying -= 1;
        if (works) gate.accepted();
        else gate.close(away);
        leave?.();
        if (works) return;
      }
    });
    await clock.advance(60_000);
    expect(most).toBe(1);
    works = true;
    await clock.advance(60_000);
    await Promise.all(attempts);
    expect(most).toBeGreaterThan(8);
    expect(told.at(-1)).toBe('open');
    expect(gate.isOpen).toBe(true);
  });

  it('loses no turn, whoever is accepted, or gives up, in the moment of its grant', async () => {
    const { gate, clock } = world();
    for (let round = 0; round < 50; round += 1) {
      gate.close(away);
      const impatient = new AbortController();
      const first = await Promise.race([gate.enter(never), clock.advance(5_000).then(() => undefined)]);
      const others = [gate.enter(impatient.signal), gate.enter(never), gate.enter(impatient.signal)];
      if (round % 2 === 0) impatient.abort();
      gate.accepted();
      first?.();
      if (round % 2 === 1) impatient.abort();
      await clock.advance(5_000);
      for (const leave of await Promise.all(others)) leave?.();
      gate.close(away);
      const next = gate.enter(never);
      await clock.advance(5_000);
      const leave = await next;
      expect(leave).toBeDefined();
      leave?.();
      gate.accepted();
    }
  });

  it('closes for an answer that does not come, and tells of it only if nothing else goes through', async () => {
    const { gate, clock, told } = world();
    const unanswered = new BrokerUnavailableError('no answer', { code: 'TARGET_TIMEOUT' });
    gate.close(unanswered);
    gate.accepted();
    expect(told).toEqual(['closed', 'open']);

    gate.close(unanswered);
    expect(gate.isOpen).toBe(false);
    expect(told).toEqual(['closed', 'open']);
    // What a target says itself is told at once.
    gate.close(away);
    gate.accepted();
    expect(told).toEqual(['closed', 'open', 'closed', 'open']);

    await clock.advance(1_000);
    gate.close(unanswered);
    expect(told.at(-1)).toBe('closed');
  });

  it('waits longer and longer between tries, and counts what fails together as one', async () => {
    const { gate, clock } = world();
    const startedAtMs: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (let failure = 0; failure < 20; failure += 1) gate.close(away);
      const entering = gate.enter(never);
      await clock.advance(3_000);
      startedAtMs.push(clock.now());
      (await entering)?.();
    }
    expect(startedAtMs).toHaveLength(6);
    gate.close(away, 10_000);
    const asked = gate.enter(never);
    let isThrough = false;
    void asked.then(() => {
      isThrough = true;
    });
    await clock.advance(9_000);
    expect(isThrough).toBe(false);
    await clock.advance(2_000);
    expect(isThrough).toBe(true);
  });
});
