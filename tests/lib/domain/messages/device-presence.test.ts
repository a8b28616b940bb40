import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CLOCK_SKEW_MS,
  comparePresence,
  type DevicePresence,
  NOTHING_KNOWN,
  type Observation,
  observePresence,
  type PresenceEvent,
  type PresenceSignal,
  type PresenceVerdict,
  type Will,
} from '../../../../lib/domain/messages/device-presence.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const SECOND_MS = 1_000;
const DEBOUNCE_MS = 30 * SECOND_MS;
/** AWS: two minutes, each way. */
const AWS_SKEW_MS = 120 * SECOND_MS;

const connected = (version: number, atMs = NOW_MS): PresenceEvent => ({
  kind: 'connected',
  atMs,
  version,
  session: `s${version}`,
});
const lost = (version: number, atMs = NOW_MS, reason = 'CONNECTION_LOST'): PresenceEvent => ({
  kind: 'disconnected',
  atMs,
  version,
  session: `s${version}`,
  reason,
  isClean: false,
});
const goodbye = (version: number, atMs = NOW_MS): PresenceEvent => ({
  ...lost(version, atMs),
  isClean: true,
});
const will = (atMs = NOW_MS, payload = 'd2lsbA=='): Will => ({
  atMs,
  topicName: 'stations/7/status',
  payload,
  userProperties: [],
});

/** A device, told of by records one after the other. */
function createDevice(options: Partial<Observation> = {}) {
  let presence: DevicePresence = NOTHING_KNOWN;
  let nowMs = NOW_MS;
  function tell(
    recordId: string,
    said: PresenceEvent | Will,
    more: Partial<Observation> = {},
  ): PresenceVerdict {
    const signal: PresenceSignal = 'topicName' in said ? { will: said } : { event: said };
    const observation: Observation = {
      signal,
      recordId,
      isRedriven: false,
      nowMs,
      debounceMs: DEBOUNCE_MS,
      reportsClean: false,
      ...options,
      ...more,
    };
    const observed = observePresence(presence, observation);
    presence = observed.presence;
    return observed.verdict;
  }
  return {
    tell,
    known: () => presence,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}
const WAIT = { kind: 'wait', waitMs: DEBOUNCE_MS };

describe('comparePresence', () => {
  it('goes by the version, whatever clocks say within their accuracy', () => {
    expect(comparePresence(lost(4, NOW_MS + 4 * 60_000), connected(5))).toBeLessThan(0);
    expect(comparePresence(connected(5), lost(4, NOW_MS + 4 * 60_000))).toBeGreaterThan(0);
  });

  it('goes by the time where versions have begun again', () => {
    expect(comparePresence(connected(0, NOW_MS + 3_600_000), lost(7))).toBeGreaterThan(0);
    expect(comparePresence(connected(0, NOW_MS + CLOCK_SKEW_MS + 1), lost(0))).toBeGreaterThan(0);
  });

  it('puts the end of a connection behind its beginning, and knows a copy', () => {
    expect(comparePresence(lost(5, NOW_MS - 60_000), connected(5))).toBeGreaterThan(0);
    expect(comparePresence(lost(5, NOW_MS + 1), lost(5))).toBe(0);
  });

  it('goes by the time where there is no version', () => {
    const { version: _, ...bare } = lost(1);
    expect(comparePresence(bare, connected(2, NOW_MS - 1))).toBeGreaterThan(0);
    expect(comparePresence(bare, connected(2))).toBeGreaterThan(0);
    expect(comparePresence(bare, { ...bare, kind: 'connected' })).toBeGreaterThan(0);
  });
});

describe('observePresence', () => {
  it('tells a lost connection once the debounce is over, with reason and will', () => {
    const device = createDevice();
    device.tell('1', connected(1, NOW_MS - 3_600_000));
    expect(device.tell('2', lost(1))).toEqual(WAIT);
    expect(device.tell('3', will())).toEqual({ kind: 'joined' });
    device.pass(DEBOUNCE_MS - 1);
    expect(device.tell('2', lost(1))).toEqual({ kind: 'wait', waitMs: 1 });
    device.pass(1);
    expect(device.tell('2', lost(1))).toMatchObject({
      kind: 'report',
      outage: { holder: '2', event: { reason: 'CONNECTION_LOST' } },
      will: { payload: 'd2lsbA==' },
    });
  });

  it('lets the will tell where it came first', () => {
    const device = createDevice();
    expect(device.tell('1', will())).toEqual(WAIT);
    expect(device.tell('2', lost(1))).toEqual({ kind: 'joined' });
    device.pass(DEBOUNCE_MS);
    expect(device.tell('1', will())).toMatchObject({
      kind: 'report',
      outage: { event: lost(1) },
      will: will(),
    });
  });

  it('tells a will of which there is no event', () => {
    const device = createDevice();
    device.tell('1', will());
    device.pass(DEBOUNCE_MS);
    const verdict = device.tell('1', will());
    expect(verdict).toMatchObject({ kind: 'report', outage: { sinceMs: NOW_MS } });
    expect(verdict).not.toHaveProperty('outage.event');
  });

  it('does not tell a device that is back within the debounce', () => {
    const device = createDevice();
    device.tell('1', lost(1));
    device.pass(DEBOUNCE_MS - 1);
    expect(device.tell('2', connected(2))).toEqual({ kind: 'passed' });
    device.pass(1);
    expect(device.tell('1', lost(1))).toEqual({ kind: 'passed' });
  });

  it('begins to wait anew with each outage of a flapping device', () => {
    const device = createDevice();
    device.tell('1', lost(1));
    device.pass(20 * SECOND_MS);
    device.tell('2', connected(2, NOW_MS + 20 * SECOND_MS));
    expect(device.tell('3', lost(2, NOW_MS + 20 * SECOND_MS))).toEqual(WAIT);
    device.pass(10 * SECOND_MS);
    expect(device.tell('1', lost(1))).toEqual({ kind: 'passed' });
    device.pass(20 * SECOND_MS);
    expect(device.tell('3', lost(2, NOW_MS + 20 * SECOND_MS))).toMatchObject({ kind: 'report' });
  });

  it.each(['before', 'after'])('does not tell a takeover, whose end comes %s its beginning', (when) => {
    const device = createDevice();
    device.tell('0', connected(4, NOW_MS - 60_000));
    const takenOver = () => device.tell('1', lost(4, NOW_MS + 900, 'DUPLICATE_CLIENTID'));
    if (when === 'before') expect(takenOver()).toEqual(WAIT);
    device.tell('2', connected(5, NOW_MS + 800));
    if (when === 'after') expect(takenOver()).toEqual({ kind: 'passed' });
    expect(device.tell('3', will(NOW_MS + 950))).toEqual({ kind: 'passed' });
    device.pass(DEBOUNCE_MS);
    expect(device.tell('1', lost(4, NOW_MS + 900, 'DUPLICATE_CLIENTID'))).toEqual({ kind: 'passed' });
  });

  it.each([
    [false, { kind: 'passed' }],
    [true, WAIT],
  ])('tells a goodbye only where that is wanted (%s)', (reportsClean, verdict) => {
    const device = createDevice({ reportsClean });
    device.tell('1', connected(1, NOW_MS - 60_000));
    expect(device.tell('2', goodbye(1))).toEqual(verdict);
  });

  it('takes a goodbye as a sign that the device was back', () => {
    const device = createDevice();
    device.tell('1', lost(1));
    device.tell('2', goodbye(2, NOW_MS + 1));
    device.pass(DEBOUNCE_MS);
    expect(device.tell('1', lost(1))).toEqual({ kind: 'passed' });
  });

  it('tells what was due and could not be sent, also when the device is back since', () => {
    const device = createDevice();
    device.tell('1', lost(1));
    device.pass(DEBOUNCE_MS);
    expect(device.tell('1', lost(1))).toMatchObject({ kind: 'report' });
    device.pass(SECOND_MS);
    device.tell('2', connected(2, NOW_MS + 31_000));
    expect(device.tell('1', lost(1))).toMatchObject({
      kind: 'report',
      outage: { holder: '1', backAtMs: NOW_MS + 31_000 },
    });
  });

  it('remembers a few such outages of a device, and only so many', () => {
    const device = createDevice();
    for (let version = 1; version <= 9; version += 1) {
      device.tell(`${version}`, lost(version, NOW_MS + version));
      device.pass(DEBOUNCE_MS);
      device.tell(`back ${version}`, connected(version + 1, NOW_MS + version));
    }
    expect(device.known().ended.map(({ holder }) => holder)).toEqual(['5', '6', '7', '8', '9']);
    expect(device.tell('4', lost(4, NOW_MS + 4))).toEqual({ kind: 'passed' });
    expect(device.tell('5', lost(5, NOW_MS + 5))).toMatchObject({ kind: 'report' });
  });

  it('takes a will for one of an outage long ago only as far as clocks differ', () => {
    const device = createDevice();
    const later = NOW_MS + CLOCK_SKEW_MS + 1;
    device.tell('1', will());
    device.pass(DEBOUNCE_MS);
    expect(device.tell('1', will())).toMatchObject({ kind: 'report' });
    // It was back, and nobody has said so.
    expect(device.tell('2', lost(3, later))).toEqual(WAIT);
    device.pass(DEBOUNCE_MS);
    const verdict = device.tell('2', lost(3, later));
    expect(verdict).toMatchObject({ kind: 'report' });
    expect(verdict).not.toHaveProperty('will');
  });

  it('keeps the will of a short connection for the event that comes after it', () => {
    const device = createDevice();
    device.tell('1', connected(2));
    expect(device.tell('2', will(NOW_MS + 2_000))).toEqual({ kind: 'passed' });
    expect(device.tell('3', lost(2, NOW_MS + 2_000))).toEqual(WAIT);
    device.pass(DEBOUNCE_MS);
    expect(device.tell('3', lost(2, NOW_MS + 2_000))).toMatchObject({ will: { atMs: NOW_MS + 2_000 } });
  });

  describe('of a dead letter that is redriven', () => {
    const redriven = { isRedriven: true };

    it('tells what it told before, under whatever name it comes now', () => {
      const device = createDevice();
      device.tell('1', lost(1));
      device.pass(DEBOUNCE_MS);
      device.tell('1', lost(1));
      expect(device.tell('letter', lost(1), redriven)).toMatchObject({
        kind: 'report',
        outage: { holder: '1' },
      });
      device.tell('2', connected(2, NOW_MS + 60_000));
      expect(device.tell('letter', lost(1), redriven)).toMatchObject({ kind: 'report' });
    });

    it('tells at once what nobody has heard of', () => {
      expect(createDevice().tell('letter', lost(1), redriven)).toMatchObject({ kind: 'report' });
      expect(createDevice().tell('letter', will(), redriven)).toMatchObject({ kind: 'report' });
    });

    it('tells nothing where the device was back within the debounce', () => {
      const device = createDevice();
      device.tell('1', connected(2, NOW_MS + 1));
      expect(device.tell('letter', lost(1), redriven)).toEqual({ kind: 'passed' });
      expect(device.tell('letter', will(), redriven)).toEqual({ kind: 'passed' });
    });
  });

  describe('whatever the order and the copies', () => {
    /** Connections one after the other: how long each lasts and the next takes, how it ends, how clocks differ. */
    const connection = fc.record({
      lastsMs: fc.integer({ min: 100, max: 3_600_000 }),
      pauseMs: fc.integer({ min: 10, max: 20_000 }),
      end: fc.constantFrom('lost', 'clean', 'takeover'),
      skews: fc.tuple(
        fc.integer({ min: -AWS_SKEW_MS, max: AWS_SKEW_MS }),
        fc.integer({ min: -AWS_SKEW_MS, max: AWS_SKEW_MS }),
      ),
      hasWill: fc.boolean(),
      skips: fc.integer({ min: 1, max: 3 }),
    });
    const history = fc.record({
      connections: fc.array(connection, { minLength: 1, maxLength: 5 }),
      isOn: fc.boolean(),
      resets: fc.boolean(),
    });

    type Connection = typeof connection extends fc.Arbitrary<infer T> ? T : never;

    /** What is said at the end of a connection. */
    function endOf(
      { end, skews, hasWill }: Connection,
      { index, version, atMs }: { index: number; version: number; atMs: number },
    ): (PresenceEvent | Will)[] {
      if (end === 'clean') return [goodbye(version, atMs + skews[1])];
      const event = lost(version, atMs + skews[1], end);
      return hasWill ? [event, will(atMs, Buffer.from(`will ${index}`).toString('base64'))] : [event];
    }

    /** Who takes over does not wait. */
    const pauseAfter = ({ end, pauseMs }: Connection) => (end === 'takeover' ? 1 : pauseMs);

    function recordsOf({
      connections,
      isOn,
      resets,
    }: typeof history extends fc.Arbitrary<infer T> ? T : never): (PresenceEvent | Will)[] {
      const said: (PresenceEvent | Will)[] = [];
      let atMs = NOW_MS;
      let version = 0;
      for (const [index, one] of connections.entries()) {
        // Away for an hour: versions begin again.
        const isReset = resets && index === 1;
        if (isReset) atMs += 3_600_000;
        version = isReset ? 0 : version + one.skips;
        said.push(connected(version, atMs + one.skews[0]));
        atMs += one.lastsMs;
        if (index < connections.length - 1 || !isOn) said.push(...endOf(one, { index, version, atMs }));
        atMs += pauseAfter(one);
      }
      return said;
    }

    it('tells exactly once that it is offline if it is, and never if it is not', () => {
      fc.assert(
        fc.property(
          history.chain((one) => {
            const said = recordsOf(one);
            const copies = fc.array(fc.nat(said.length - 1), { maxLength: 5 });
            return copies.chain((more) => {
              const all = [...said.keys(), ...more];
              return fc.tuple(
                fc.constant(said),
                fc
                  .shuffledSubarray([...all.keys()], { minLength: all.length })
                  .map((order) =>
                    order.map((position) => ({ id: `${position}`, index: all[position] ?? 0 })),
                  ),
                fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
              );
            });
          }),
          ([said, order, second]) => {
            const device = createDevice();
            const waiting = new Set<string>();
            for (const { id, index } of order) {
              const one = said[index];
              if (one !== undefined && device.tell(id, one).kind === 'wait') waiting.add(id);
            }
            device.pass(DEBOUNCE_MS);
            const verdicts = second.flatMap((position) => {
              const found = order.find(({ id }) => id === `${position}` && waiting.has(id));
              const one = found && said[found.index];
              return found === undefined || one === undefined ? [] : [device.tell(found.id, one)];
            });
            const reports = verdicts.filter(({ kind }) => kind === 'report');
            const events = said.filter((one): one is PresenceEvent => 'kind' in one);
            const last = events.at(-1);
            const isOffline = last?.kind === 'disconnected' && last.isClean === false;
            expect(reports).toHaveLength(isOffline ? 1 : 0);
            if (isOffline) expect(reports).toMatchObject([{ outage: { event: last } }]);
            expect(verdicts.some(({ kind }) => kind === 'wait')).toBe(false);
          },
        ),
        { numRuns: 2_000 },
      );
    });

    it('changes nothing when a record is looked at again', () => {
      fc.assert(
        fc.property(history, fc.nat(), (one, at) => {
          const said = recordsOf(one);
          const device = createDevice();
          for (const [index, what] of said.entries()) device.tell(`${index}`, what);
          const before = device.known();
          const index = at % said.length;
          const again = said[index];
          if (again !== undefined) device.tell(`${index}`, again);
          expect(device.known()).toEqual(before);
        }),
      );
    });
  });
});
