import { beforeEach, describe, expect, it } from '@jest/globals';
import { type DevicePresence, NOTHING_KNOWN } from '../../lib/domain/messages/device-presence.ts';
import type { PresenceStates } from '../../lib/ports/presence-states.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const DEVICE = { taskId: 'task', clientId: 'charger-7' };
const EVERYTHING: DevicePresence = {
  newest: {
    kind: 'disconnected',
    atMs: NOW_MS,
    version: 3,
    session: 's',
    reason: 'CONNECTION_LOST',
    isClean: false,
  },
  will: {
    atMs: NOW_MS,
    topicName: 'stations/7/status',
    payload: 'AP/+',
    userProperties: [
      ['a', ''],
      ['a', '2'],
    ],
  },
  outage: {
    holder: 'record-9',
    dueAtMs: NOW_MS + 30_000,
    sinceMs: NOW_MS,
    event: { kind: 'disconnected', atMs: NOW_MS },
    backAtMs: NOW_MS + 1,
  },
  ended: [{ holder: 'record-1', dueAtMs: NOW_MS - 9, sinceMs: NOW_MS - 60_000 }],
};

/** What every keeper of devices promises. */
export function describePresenceStates(name: string, build: () => Promise<PresenceStates>): void {
  describe(`PresenceStates, ${name}`, () => {
    let states: PresenceStates;
    beforeEach(async () => {
      states = await build();
    });
    const read = (device = DEVICE) =>
      states.change(device, NOW_MS, (presence) => ({ presence, answer: presence }));
    const write = (presence: DevicePresence, device = DEVICE) =>
      states.change(device, NOW_MS, (known) => ({ presence, answer: known }));

    it('knows nothing of a device that nobody has told of', async () => {
      expect(await read()).toEqual(NOTHING_KNOWN);
    });

    it('answers what was decided, of this device of this task only', async () => {
      expect(await write(EVERYTHING)).toEqual(NOTHING_KNOWN);
      expect(await read()).toEqual(EVERYTHING);
      expect(await read({ ...DEVICE, taskId: 'another' })).toEqual(NOTHING_KNOWN);
      expect(await read({ ...DEVICE, clientId: 'charger-8' })).toEqual(NOTHING_KNOWN);
    });

    it('forgets what the next decision leaves out', async () => {
      await write(EVERYTHING);
      await write({ ended: [] });
      expect(await read()).toEqual({ ended: [] });
    });

    it('takes identifiers with any character', async () => {
      const odd = { ...DEVICE, clientId: 'a#b/c "ü" 😀' };
      await write(EVERYTHING, odd);
      expect(await read(odd)).toEqual(EVERYTHING);
    });

    it('decides anew when others have changed it meanwhile: no change is lost', async () => {
      const addOne = (holder: string) =>
        states.change(DEVICE, NOW_MS, (known) => ({
          presence: { ended: [...known.ended, { holder, dueAtMs: 1, sinceMs: 0 }] },
          answer: undefined,
        }));
      const holders = ['a', 'b', 'c', 'd'];
      await Promise.all(holders.map(addOne));
      const { ended } = await read();
      expect(ended.map(({ holder }) => holder).toSorted()).toEqual(holders);
    });

    it('changes nothing when the decision throws', async () => {
      await write(EVERYTHING);
      const failing = states.change(DEVICE, NOW_MS, () => {
        throw new Error('undecided');
      });
      await expect(failing).rejects.toThrow('undecided');
      expect(await read()).toEqual(EVERYTHING);
    });
  });
}
