import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { getItem } from '../../../../lib/adapters/dynamodb/read.ts';
import { openTable, taskKey } from '../../../../lib/adapters/dynamodb/table.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close().closeAllConnections();
});

/** Reads from a DynamoDB that does this with every request. */
async function readFrom(listener: RequestListener, maxAttempts = 1): Promise<unknown> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return readWith({ endpoint: `http://127.0.0.1:${port}`, maxAttempts });
}

function readWith(config: Parameters<typeof openTable>[1]): Promise<unknown> {
  const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
  const table = openTable('mqferry', { region: 'eu-west-1', credentials, maxAttempts: 1, ...config });
  return getItem(table, taskKey('a')).catch((error: unknown) => error);
}

const says =
  (status: number, type: string): RequestListener =>
  (incoming, outgoing) => {
    incoming.resume();
    const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no' });
    outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  };

const AWAY = { status: 503, code: 'STORE_UNAVAILABLE', cause: expect.any(Error) };

describe('openTable', () => {
  it.each<{ what: string; listener: RequestListener }>([
    { what: 'is not able to answer', listener: says(500, 'InternalServerError') },
    { what: 'is throttled', listener: says(400, 'ProvisionedThroughputExceededException') },
    { what: 'is asked for too much by the account', listener: says(400, 'RequestLimitExceeded') },
  ])('says that the store is away when DynamoDB $what', async ({ listener }) => {
    expect(await readFrom(listener)).toMatchObject(AWAY);
  });

  // Jest hands modules another `Error` than that of the sockets, which the SDK then does not know: real ones are in the fault suite.
  it.each(['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])('says so at %s', async (code) => {
    const handle = async () => {
      throw Object.assign(new Error('no connection'), { code });
    };
    expect(await readWith({ requestHandler: { handle } })).toMatchObject(AWAY);
  });

  it('asks three times', async () => {
    const refuses = says(400, 'ProvisionedThroughputExceededException');
    let requests = 0;
    const listener: RequestListener = (incoming, outgoing) => {
      requests += 1;
      if (requests < 3) refuses(incoming, outgoing);
      else outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
    };
    expect(await readFrom(listener, 3)).toBeUndefined();
    expect(requests).toBe(3);
  });

  it('leaves what is no outage as it is', async () => {
    const error = await readFrom(says(400, 'ResourceNotFoundException'));
    expect(error).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
