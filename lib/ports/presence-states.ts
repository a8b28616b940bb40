import type { DevicePresence } from '../domain/messages/device-presence.ts';

/**
 * What is known of the devices of tasks with `options.presence`. Strongly consistent; what is not changed for 15 days is
 * forgotten.
 */
export interface PresenceStates {
  /**
   * Changes what is known of a device, by a decision about what is known now, which is made again when others have changed it
   * meanwhile. A decision that answers the same object writes nothing. Throws when its outcome is not certain.
   *
   * @returns what the last decision answered beside
   */
  change<T>(
    device: { taskId: string; clientId: string },
    nowMs: number,
    decide: (known: DevicePresence) => { presence: DevicePresence; answer: T },
  ): Promise<T>;
}
