import type { CanaryRecord } from '../../domain/tasks/canary.ts';
import type { CanaryStore } from '../../ports/canary-store.ts';

/** Canaries in memory; nothing is forgotten. */
export function createMemoryCanaryStore(): CanaryStore {
  const records = new Map<string, CanaryRecord>();
  return {
    async get(taskId) {
      return structuredClone(records.get(taskId));
    },
    async sending(taskId, { token, ...times }) {
      const record = { token, ...records.get(taskId), ...times };
      records.set(taskId, record);
      return structuredClone(record);
    },
    async came(taskId, { sentAtMs, failure }) {
      const record = records.get(taskId);
      if (record === undefined || (record.cameSentAtMs ?? 0) >= sentAtMs) return;
      const { failure: _, ...rest } = record;
      const told = failure === undefined ? {} : { failure: { ...failure } };
      records.set(taskId, { ...rest, cameSentAtMs: sentAtMs, ...told });
    },
  };
}
