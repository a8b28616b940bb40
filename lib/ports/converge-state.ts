/** What converge remembers between its runs, beside the tasks. */
export interface ConvergeMemory {
  /** Every region in which rules were ever made: where the clean-up has to look. */
  regions: readonly string[];
  /** What looked like an orphan, by kind and id, with the epoch ms at which it first did. */
  suspects: Readonly<Record<string, number>>;
  /** Where the audit goes on; absent: from the first task. */
  auditCursor?: string;
  /** Messages that the last look found in the queue of a task; tasks with none are left out. */
  backlogs?: Readonly<Record<string, number>>;
}

/** One record of the stack. Only the scheduled audit writes `suspects` and `auditCursor`; `addRegion` is atomic. */
export interface ConvergeState {
  /** Strongly consistent. */
  read(): Promise<ConvergeMemory>;
  /** Before the first rule is made in a region. */
  addRegion(region: string): Promise<void>;
  saveAudit(audit: Pick<ConvergeMemory, 'suspects' | 'auditCursor'>): Promise<void>;
  /** Only the tick writes them. */
  saveBacklogs(backlogs: Readonly<Record<string, number>>): Promise<void>;
}
