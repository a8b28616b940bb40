import type { ItemUpdate, TamperUpdate } from '../faults/table-relay.ts';

/** What may be wrong with counting. */
export type Bug = 'lost update' | 'double count';

const FIGURES_OF_A_MINUTE = /^FIGURES#(.*)$/;
/** Two writes, and not the next two: a counter that is wrong half of the time, whatever takes turns in its writes. */
const IN_A_ROW = 2;

/**
 * A counting with a fault: of these tasks half of the writes of figures are lost, or count twice. What witnesses write, and the
 * errors, stay as they are.
 */
export function plantedBugs(bugs: ReadonlyMap<string, Bug>): TamperUpdate {
  const writes = new Map<string, number>();
  return (update) => {
    const taskId = taskOf(update);
    const bug = bugs.get(taskId);
    if (bug === undefined) return update;
    const count = (writes.get(taskId) ?? 0) + 1;
    writes.set(taskId, count);
    if (Math.floor(count / IN_A_ROW) % 2 === 0) return update;
    return bug === 'lost update' ? 'lost' : doubled(update);
  };
}

/** Whose figures of a minute are written; empty: it is something else. */
function taskOf({ Key: { PK, SK } }: ItemUpdate): string {
  const [, taskId = ''] = FIGURES_OF_A_MINUTE.exec(PK.S) ?? [];
  return SK.S.startsWith('M#') ? taskId : '';
}

/** Each number that is added, twice. */
function doubled(update: ItemUpdate): ItemUpdate {
  const [, added = ''] = / ?ADD (.*)$/.exec(update.UpdateExpression) ?? [];
  const values = { ...update.ExpressionAttributeValues };
  for (const [placeholder] of added.matchAll(/:\w+/g)) {
    const { N } = values[placeholder] ?? {};
    if (N !== undefined) values[placeholder] = { N: String(2 * Number(N)) };
  }
  return { ...update, ExpressionAttributeValues: values };
}
