import type { SessionDelivery } from '../ports/mqtt-session.ts';

type Packet = Pick<SessionDelivery, 'packetId' | 'isDuplicate'>;

/**
 * Which deliveries a lane has met before. A broker marks as duplicate what it has sent before, whether it arrived or not: what was lost
 * on its way is met for the first time all the same, and known by its packet identifier, which stays the same [MQTT-4.4.0-1].
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
  let before: Recent | undefined;
  let current: Recent | undefined;
  return {
    connect() {
      before = current;
      const own = createRecent(receiveMaximum);
      const known = before;
      current = own;
      return ({ packetId, isDuplicate }) => {
        if (packetId === undefined) return isDuplicate;
        // Given once more on this connection, it was met on it.
        const isAgain = isDuplicate && (known === undefined || known.has(packetId) || own.has(packetId));
        own.add(packetId);
        return isAgain;
      };
    },
  };
}

interface Recent {
  add(packetId: number): void;
  has(packetId: number): boolean;
}

/** The last so many, in order of arrival. */
function createRecent(most: number): Recent {
  const packetIds = new Set<number>();
  return {
    add(packetId) {
      // To the end.
      packetIds.delete(packetId);
      packetIds.add(packetId);
      if (packetIds.size <= most) return;
      const [oldest] = packetIds;
      if (oldest !== undefined) packetIds.delete(oldest);
    },
    has: (packetId) => packetIds.has(packetId),
  };
}
