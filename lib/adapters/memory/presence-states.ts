import { type DevicePresence, NOTHING_KNOWN } from '../../domain/messages/device-presence.ts';
import type { PresenceStates } from '../../ports/presence-states.ts';

/** Devices in memory; nothing is forgotten. */
export function createMemoryPresenceStates(): PresenceStates {
  const devices = new Map<string, DevicePresence>();
  return {
    async change({ taskId, clientId }, _nowMs, decide) {
      const key = JSON.stringify([taskId, clientId]);
      const known = devices.get(key) ?? NOTHING_KNOWN;
      const { presence, answer } = decide(known);
      if (presence !== known) devices.set(key, structuredClone(presence));
      return answer;
    },
  };
}
