import { appendFile } from 'node:fs/promises';
import { AwsClient } from 'aws4fetch';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  body: any;
}

export interface ApiClientOptions {
  api: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** A file that gets a line for each answer: what all of a suite were is looked at when it ends. */
  record?: string;
}

/** A line of the record. */
export interface RecordedAnswer {
  method: string;
  path: string;
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** Calls the deployed HTTPS API as an IAM user (SigV4), as a user's script would. */
export function createApiClient(options: ApiClientOptions) {
  const signer = new AwsClient({
    accessKeyId: options.accessKeyId,
    secretAccessKey: options.secretAccessKey,
    service: 'execute-api',
    region: options.region,
    retries: 0,
  });
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer> => {
    const response = await signer.fetch(`${options.api}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (options.record !== undefined) {
      const answer = { status: response.status, headers: Object.fromEntries(response.headers), text };
      const line: RecordedAnswer = { method, path, ...answer };
      await appendFile(options.record, `${JSON.stringify(line)}\n`);
    }
    return {
      status: response.status,
      headers: response.headers,
      body: bodyOf(text, response.headers.get('content-type') ?? ''),
    };
  };
}
export type ApiClient = ReturnType<typeof createApiClient>;

/** Only `GET /metrics` answers something else than JSON. */
function bodyOf(text: string, contentType: string): unknown {
  if (text === '') return undefined;
  return contentType.startsWith('text/plain') ? text : JSON.parse(text);
}
