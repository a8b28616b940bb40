import type { ConvergeMemory, ConvergeState } from '../../ports/converge-state.ts';

export function createMemoryConvergeState(): ConvergeState {
  const regions = new Set<string>();
  let backlogs: ConvergeMemory['backlogs'];
  let audit: Pick<ConvergeMemory, 'suspects' | 'auditCursor'> = { suspects: {} };
  return {
    async read() {
      return { regions: [...regions].sort(), ...structuredClone(audit), ...(backlogs && { backlogs }) };
    },
    async addRegion(region) {
      regions.add(region);
    },
    async saveBacklogs(next) {
      backlogs = structuredClone(next);
    },
    async saveAudit(next) {
      audit = structuredClone(next);
    },
  };
}
