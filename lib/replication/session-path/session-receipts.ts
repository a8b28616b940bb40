import { crc32 } from 'node:zlib';
import type { SessionDelivery } from '../../ports/mqtt-session.ts';

type Packet = Pick<SessionDelivery, 'packetId' | 'isDuplicate' | 'message'>;

/**
 * Which deliveries a lane has met before. A broker marks as duplicate what it has sent before, whether it arrived or not: what was lost
 * on its way is met for the first time all the same. It is known by its packet identifier, which stays the same [MQTT-4.4.0-1], and by
 * what it says, since brokers give an identifier to another message as soon as they may.
 */
export interface SessionReceipts {
  /** Begins a connection. Answers what tells for each of its deliveries, in order, whether it was met before. */
  connect(): (delivery: Packet) => boolean;
}

/**
 * Of one lane, for as long as its lease is held without a break: who takes it over knows nothing of the connections before, and
 * believes the broker.
 *
 * @param receiveMaximum - the broker has at most so many unacknowledged: what came before them was acknowledged, and heard so
 */
export function createSessionReceipts(receiveMaximum: number): SessionReceipts {
  let current: Recent | undefined;
  return {
    connect() {
      const before = current;
      const own = createRecent(receiveMaximum);
      current = own;
      return ({ packetId, isDuplicate, message }) => {
        if (packetId === undefined) return isDuplicate;
        const print = crc32(message.payload, crc32(message.topicName));
        // Given once more on this connection, it was met on it.
        const isAgain =
          isDuplicate && (before === undefined || before.has(packetId, print) || own.has(packetId, print));
        own.add(packetId, print);
        return isAgain;
      };
    },
  };
}

interface Recent {
  /** @param print - of what the message says */
  add(packetId: number, print: number): void;
  has(packetId: number, print: number): boolean;
}

/** The last so many, in order of arrival. */
function createRecent(most: number): Recent {
  const prints = new Map<number, number>();
  return {
    add(packetId, print) {
      // To the end.
      prints.delete(packetId);
      prints.set(packetId, print);
      if (prints.size <= most) return;
      const [oldest] = prints.keys();
      if (oldest !== undefined) prints.delete(oldest);
    },
    has: (packetId, print) => prints.get(packetId) === print,
  };
}
