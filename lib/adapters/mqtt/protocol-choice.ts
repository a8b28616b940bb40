import { BridgeError } from '../../domain/errors/errors.ts';
import type { MqttProtocolVersion } from './client-options.ts';

/** Opens something with a version of MQTT. */
export type OpenWith<T> = (protocolVersion: MqttProtocolVersion) => Promise<T>;

/**
 * Finds out, once, whether a broker speaks MQTT 5, and remembers it. MQTT 3.1.1 would drop every property without a sign, so it
 * is chosen on proof only: the broker refuses MQTT 5 by its answer, or it closes the connection twice at MQTT 5 while it answers
 * 3.1.1 in between, and so was not merely starting.
 */
export class ProtocolChoice {
  #chosen: MqttProtocolVersion | undefined;

  /**
   * @param open - tried with MQTT 5 first
   * @param probe - resolves when the broker lets us in with MQTT 3.1.1, and leaves nothing open
   */
  async open<T>(open: OpenWith<T>, probe: () => Promise<void>): Promise<T> {
    if (this.#chosen !== undefined) return open(this.#chosen);
    const first = await this.#tryOpen(open);
    if (first.outcome === 'opened') return first.opened;
    if (first.outcome === 'refused') return this.#choose(4, await open(4));
    await probe();
    const second = await this.#tryOpen(open);
    return second.outcome === 'opened' ? second.opened : this.#choose(4, await open(4));
  }

  /** With MQTT 5; throws what has nothing to do with the version. */
  async #tryOpen<T>(
    open: OpenWith<T>,
  ): Promise<{ outcome: 'opened'; opened: T } | { outcome: 'refused' | 'unanswered' }> {
    try {
      return { outcome: 'opened', opened: this.#choose(5, await open(5)) };
    } catch (error) {
      const code = error instanceof BridgeError ? error.code : '';
      if (code === 'TARGET_UNSUPPORTED') return { outcome: 'refused' };
      if (code === 'CONNECT_UNANSWERED') return { outcome: 'unanswered' };
      throw error;
    }
  }

  #choose<T>(version: MqttProtocolVersion, opened: T): T {
    this.#chosen = version;
    return opened;
  }
}
