import { AwsClient } from 'aws4fetch';
import { LocalStackError } from './errors.ts';
import type { AwsCredentials } from './parts/aws.ts';

export interface ApiAnswer {
  status: number;
  etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are the API's; what is used of them is checked where it is used
  body: any;
}

/** Calls the deployed API as an IAM user (SigV4), as a user's script would. */
export type ApiClient = (
  method: string,
  path: string,
  options?: { body?: unknown; ifMatch?: string | undefined; expected?: readonly number[] },
) => Promise<ApiAnswer>;

export interface ApiClientOptions {
  api: string;
  region: string;
  user: AwsCredentials;
  signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 30_000;

/** An answer with a status that is not expected (default: 200, 201, 202, 204) is thrown, with the problem it names. */
export function createApiClient({ api, region, user, signal }: ApiClientOptions): ApiClient {
  const signer = new AwsClient({ ...user, service: 'execute-api', region, retries: 0 });
  return async (method, path, { body, ifMatch, expected = [200, 201, 202, 204] } = {}) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const response = await signer.fetch(`${api}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const text = await response.text();
    if (!expected.includes(response.status)) {
      throw new LocalStackError(
        'API_REFUSED',
        `${method} ${path} was answered with ${response.status}: ${text.slice(0, 1_000)}`,
      );
    }
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? undefined,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
}
