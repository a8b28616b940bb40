import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { keepRecent } from '../../domain/keep-recent.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { parseSecretArn, type SecretAddress } from './arn.ts';
import { errorOfSecretStore, invalidSecret } from './errors.ts';

/** How long a rotated secret may still be answered; a broker that refuses the old one makes the caller ask `fresh`. */
const CACHE_TTL_MS = 300_000;
const MAX_CACHED = 200;
const MAX_CLIENTS = 16;
const CLIENT_CONFIG = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
};

const SecretMembers = z.record(z.string(), z.string());
type SecretMembers = Readonly<z.infer<typeof SecretMembers>>;

interface CachedSecret {
  members: Promise<SecretMembers>;
  expiresAtMs: number;
}

export interface SecretReaderOptions {
  clock: Clock;
  /** For a stand-in of AWS; without it the SDK finds both by itself. */
  aws?: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
}

/** Reads secrets of Secrets Manager and SSM, each with a client of the region in its ARN, and keeps them for 300 s. */
export function createSecretReader({ clock, aws }: SecretReaderOptions): SecretReader {
  const cache = new Map<string, CachedSecret>();
  const managers = new ClientCache(
    (region) => new SecretsManagerClient({ region, ...CLIENT_CONFIG, ...aws }),
  );
  const parameters = new ClientCache((region) => new SSMClient({ region, ...CLIENT_CONFIG, ...aws }));

  async function fetchText({ service, region, arn }: SecretAddress): Promise<string | undefined> {
    if (service === 'secretsmanager') {
      const secret = await managers.of(region).send(new GetSecretValueCommand({ SecretId: arn }));
      return secret.SecretString;
    }
    // The whole ARN: only it tells "/name" from "name", and it reaches parameters shared by another account.
    const request = new GetParameterCommand({ Name: arn, WithDecryption: true });
    const { Parameter } = await parameters.of(region).send(request);
    return Parameter?.Value;
  }

  async function fetchMembers(address: SecretAddress): Promise<SecretMembers> {
    const text = await fetchText(address).catch((error: unknown) => {
      throw errorOfSecretStore(error, address.arn);
    });
    return parseMembers(text, address.arn);
  }

  function remember(secretRef: string, members: Promise<SecretMembers>): void {
    const entry = { members, expiresAtMs: clock.now() + CACHE_TTL_MS };
    keepRecent(cache, secretRef, entry, MAX_CACHED);
    members.catch(() => {
      if (cache.get(secretRef) === entry) cache.delete(secretRef);
    });
  }

  return {
    async read(secretRef, { fresh = false } = {}) {
      const address = parseSecretArn(secretRef);
      const known = cache.get(secretRef);
      if (!fresh && known !== undefined && clock.now() < known.expiresAtMs) return known.members;
      const members = fetchMembers(address);
      remember(secretRef, members);
      return members;
    },
  };
}

/** One SDK client per region, the one used longest ago closed beyond a bound. */
class ClientCache<T extends { destroy(): void }> {
  readonly #clients = new Map<string, T>();
  readonly #create: (region: string) => T;

  constructor(create: (region: string) => T) {
    this.#create = create;
  }

  of(region: string): T {
    const client = this.#clients.get(region) ?? this.#create(region);
    keepRecent(this.#clients, region, client, MAX_CLIENTS)?.destroy();
    return client;
  }
}

function parseMembers(text: string | undefined, arn: string): SecretMembers {
  if (text === undefined) throw invalidSecret(arn, 'it holds no text');
  const parsed = SecretMembers.safeParse(parseJson(text));
  if (!parsed.success) throw invalidSecret(arn, 'it is not a JSON object of strings');
  return parsed.data;
}

/** Undefined for what is no JSON: the parser's own error would quote the secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
