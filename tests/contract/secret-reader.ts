import { beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerHoldError } from '../../lib/domain/errors/errors.ts';
import type { SecretReader } from '../../lib/ports/secret-reader.ts';

export interface SecretReaderUnderTest {
  reader: SecretReader;
  /** Puts a secret with this text where the reader looks, or changes it, and answers its ARN. */
  put(name: string, text: string): Promise<string>;
  /** An ARN under which there is nothing. */
  missing: string;
}

const MEMBERS = { accessKey: 'AK', secretKey: 'hunter2', ca: '-----BEGIN CERTIFICATE-----\nü\n' };

/** What every reader of secrets promises. `build` is called for each test. */
export function describeSecretReader(name: string, build: () => Promise<SecretReaderUnderTest>): void {
  describe(`SecretReader, ${name}`, () => {
    let under: SecretReaderUnderTest;

    beforeEach(async () => {
      under = await build();
    });

    it('answers the members of the JSON object', async () => {
      const arn = await under.put('full', JSON.stringify(MEMBERS));
      expect(await under.reader.read(arn)).toEqual(MEMBERS);
    });

    it('answers the changed secret when asked for it fresh, and afterwards', async () => {
      const arn = await under.put('rotated', JSON.stringify(MEMBERS));
      await under.reader.read(arn);
      await under.put('rotated', JSON.stringify({ ...MEMBERS, secretKey: 'new' }));
      expect(await under.reader.read(arn, { fresh: true })).toMatchObject({ secretKey: 'new' });
      expect(await under.reader.read(arn)).toMatchObject({ secretKey: 'new' });
    });

    it.each([
      { what: 'text that is no JSON', text: 'hunter2' },
      { what: 'a JSON string', text: '"hunter2"' },
      { what: 'a JSON array', text: '["hunter2"]' },
      { what: 'null', text: 'null' },
      { what: 'a member that is no string', text: '{"secretKey":{"of":"hunter2"}}' },
    ])('refuses $what, and does not quote it', async ({ text }) => {
      const arn = await under.put('broken', text);
      const error: unknown = await under.reader.read(arn).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BrokerHoldError);
      expect(error).toMatchObject({ reaction: 'hold', scope: 'cluster', code: 'SECRET_INVALID' });
      expect(everythingIn(error)).not.toContain('hunter2');
    });

    it('says that a secret does not exist', async () => {
      await expect(under.reader.read(under.missing)).rejects.toMatchObject({
        reaction: 'hold',
        scope: 'cluster',
        code: 'SECRET_NOT_FOUND',
      });
    });
  });
}

/** Message, stack and causes, as a log would show them. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, error.stack, JSON.stringify(error), error.cause && everythingIn(error.cause)].join(
    '\n',
  );
}
