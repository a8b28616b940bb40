import { DevicePresence, NOTHING_KNOWN } from '../../domain/messages/device-presence.ts';
import { RETENTION_SECONDS } from '../../domain/tasks/resource-specs.ts';
import type { PresenceStates } from '../../ports/presence-states.ts';
import { absent, changing, equals } from './expressions.ts';
import { getItem } from './read.ts';
import { type Key, type Table, taskKey } from './table.ts';
import { untilFresh, update } from './write.ts';

/** No record of a queue that was known when this was written is left by then. */
const LIFETIME_SECONDS = RETENTION_SECONDS + 24 * 60 * 60;

/** Devices in the one table: `PK` `TASK#<taskId>`, `SK` `PRESENCE#<clientId>`, guarded by a count of their changes. */
export function createDynamoPresenceStates(table: Table): PresenceStates {
  return {
    async change(device, nowMs, decide) {
      const key = keyOf(device);
      const { answer } = await untilFresh(table, async () => {
        const item = await getItem(table, key);
        const known = item === undefined ? NOTHING_KNOWN : DevicePresence.parse(item.presence);
        const decision = decide(known);
        if (decision.presence === known) return decision;
        const changes = Number(item?.changes ?? 0);
        const expiresAt = Math.ceil(nowMs / 1_000) + LIFETIME_SECONDS;
        const outcome = await update(table, {
          Key: key,
          ...changing(
            { set: { presence: decision.presence, changes: changes + 1, expiresAt } },
            item === undefined ? absent('changes') : equals('changes', changes),
          ),
        });
        return outcome.ok ? decision : undefined;
      });
      return answer;
    },
  };
}

function keyOf({ taskId, clientId }: { taskId: string; clientId: string }): Key {
  return { PK: taskKey(taskId).PK, SK: `PRESENCE#${clientId}` };
}
