import type { ConvergeMemory, ConvergeState } from '../../ports/converge-state.ts';

export function createMemoryConvergeState(): ConvergeState {
  const regions = new Set<string>();
  let audit: Pick<ConvergeMemory, 'suspects' | 'auditCursor'> = { suspects: {} };
  return {
    async read() {
      return { regions: [...regions].sort(), ...structuredClone(audit) };
    },
    async addRegion(region) {
      regions.add(region);
    },
    async saveAudit(next) {
      audit = structuredClone(next);
    },
  };
}
