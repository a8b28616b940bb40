import { describe, expect, it } from '@jest/globals';
import { createMemorySecretReader } from '../../../../lib/adapters/memory/secret-reader.ts';
import { describeSecretReader } from '../../../contract/secret-reader.ts';

const arnOf = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;

describeSecretReader('in memory', async () => {
  const reader = createMemorySecretReader();
  return {
    reader,
    put: async (name, text) => {
      reader.set(arnOf(name), text);
      return arnOf(name);
    },
    missing: arnOf('missing'),
  };
});

describe('createMemorySecretReader', () => {
  it('notes each read', async () => {
    const reader = createMemorySecretReader({ [arnOf('a')]: '{}' });
    await reader.read(arnOf('a'));
    await reader.read(arnOf('a'), { fresh: true });
    expect(reader.reads).toEqual([
      { secretRef: arnOf('a'), fresh: false },
      { secretRef: arnOf('a'), fresh: true },
    ]);
  });
});
