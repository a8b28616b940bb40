import { expect, it } from '@jest/globals';
import { type Lacks, payloads, type SessionWorld } from './kit.ts';

/** Retained messages and the flag. */
export function describeRetained(world: SessionWorld, lacks: Lacks): void {
  const { connect, publish } = world;

  if (lacks.mqtt5) {
    // A broker of 3.1.1 sends them at each SUBSCRIBE, wanted or not, and clears the flag of live ones [MQTT-3.3.1-9].
    it.each(['new-subscription', 'never'] as const)(
      'with "%s" tells retained messages from live ones',
      async (retained) => {
        await publish(['kept'], { retain: true });
        const session = await connect({ retained, acceptAtOnce: true });
        await session.received(1);
        await publish(['live'], { retain: true });
        await session.received(2);
        expect(session.deliveries.map(({ isRetained }) => isRetained)).toEqual([true, false]);
        await publish([''], { retain: true });
      },
    );
    return;
  }

  it.each([
    ['new-subscription', ['kept']],
    ['never', []],
  ] as const)('with retained "%s" gets %j of retained messages', async (retained, expected) => {
    await publish(['kept'], { retain: true });
    const session = await connect({ retained, acceptAtOnce: true });
    await session.received(expected.length);
    await publish(['live']);
    await session.received(expected.length + 1);
    expect(payloads(session)).toEqual([...expected, 'live']);
    await session.session.close();
    const resumed = await connect({ retained, mustSubscribe: true, acceptAtOnce: true });
    await publish(['later']);
    await resumed.received(1);
    await resumed.quiet();
    expect(payloads(resumed)).toEqual(['later']);
    await publish([''], { retain: true });
  });

  it('keeps the retain flag of a live message', async () => {
    const session = await connect({ acceptAtOnce: true });
    await publish(['live'], { retain: true });
    await session.received(1);
    expect(session.deliveries[0]).toMatchObject({ isRetained: false, message: { retain: true } });
    await publish([''], { retain: true });
  });
}
