import type { EmfDocument } from '../domain/figures/emf.ts';

/**
 * Writes lines that people read as a log and CloudWatch as metrics: one line for both. They are written whatever the log level,
 * since alarms stand on them.
 */
export interface MetricsLog {
  write(message: string, document: EmfDocument, level?: 'info' | 'warn'): void;
}
