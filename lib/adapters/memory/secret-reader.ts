import { BrokerHoldError } from '../../domain/errors/errors.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';

/** Secrets in memory. `set` takes the text as a secret store would hold it; a read answers what was set last. */
export interface MemorySecretReader extends SecretReader {
  set(secretRef: string, text: string): void;
  /** ARNs read so far, each as often as it was read, with `fresh` noted. */
  readonly reads: readonly { secretRef: string; fresh: boolean }[];
}

export function createMemorySecretReader(secrets: Readonly<Record<string, string>> = {}): MemorySecretReader {
  const texts = new Map(Object.entries(secrets));
  const reads: { secretRef: string; fresh: boolean }[] = [];
  return {
    reads,
    set: (secretRef, text) => {
      texts.set(secretRef, text);
    },
    async read(secretRef, { fresh = false } = {}) {
      reads.push({ secretRef, fresh });
      const text = texts.get(secretRef);
      if (text === undefined)
        throw held('SECRET_NOT_FOUND', `reading the secret ${secretRef}: it does not exist`);
      const members = parseMembers(text);
      if (members === undefined)
        throw held('SECRET_INVALID', `reading the secret ${secretRef}: no JSON of strings`);
      return members;
    },
  };
}

function parseMembers(text: string): Record<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed);
    return entries.every(([, value]) => typeof value === 'string') ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}

function held(code: string, message: string): BrokerHoldError {
  return new BrokerHoldError(message, { code, scope: 'cluster' });
}
