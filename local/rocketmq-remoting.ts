import { createHmac } from 'node:crypto';
import { connect } from 'node:net';

export interface RemotingRequest {
  /** `RequestCode` of RocketMQ. */
  code: number;
  fields?: Readonly<Record<string, string>>;
  body?: Buffer;
}

export interface RemotingResponse {
  /** 0: done. */
  code: number;
  remark: string;
  body: Buffer;
}

/** Of ACL 2.0: a user and its password. */
export interface RemotingCredentials {
  accessKey: string;
  secretKey: string;
}

// Any version since 5.0 tells the broker that we read its current answers.
const PROTOCOL_VERSION = 497;
const TIMEOUT_MS = 5_000;

/**
 * One request of RocketMQ's remoting protocol on a connection of its own. A frame is: length, header length (int32 each;
 * its highest byte 0 says JSON), header, body.
 *
 * @param address host:port of a name server or broker.
 */
export async function remotingCall(
  address: string,
  request: RemotingRequest,
  credentials?: RemotingCredentials,
): Promise<RemotingResponse> {
  const colon = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
  const answer = Promise.withResolvers<RemotingResponse>();
  let received = Buffer.alloc(0);
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  socket.on('error', (error) =>
    answer.reject(new Error(`calling RocketMQ at ${address}: ${error.message}`, { cause: error })),
  );
  socket.on('close', () => answer.reject(new Error(`RocketMQ at ${address} closed the connection`)));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0))
      answer.resolve(decode(received));
  });
  socket.write(encode(request, credentials));
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}

function encode(
  { code, fields = {}, body = Buffer.alloc(0) }: RemotingRequest,
  credentials?: RemotingCredentials,
) {
  const extFields = credentials === undefined ? fields : signed(fields, body, credentials);
  const header = Buffer.from(
    JSON.stringify({ code, flag: 0, language: 'JAVA', opaque: 1, version: PROTOCOL_VERSION, extFields }),
  );
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length + body.length, 0);
  lengths.writeInt32BE(header.length, 4);
  return Buffer.concat([lengths, header, body]);
}

/** ACL signs the values of all fields in the order of their names, then the body. */
function signed(
  fields: Readonly<Record<string, string>>,
  body: Buffer,
  { accessKey, secretKey }: RemotingCredentials,
): Record<string, string> {
  const all: Record<string, string> = { ...fields, AccessKey: accessKey };
  const hmac = createHmac('sha1', secretKey);
  for (const name of Object.keys(all).sort()) hmac.update(all[name] ?? '');
  return { ...all, Signature: hmac.update(body).digest('base64') };
}

function decode(frame: Buffer): RemotingResponse {
  const headerLength = frame.readInt32BE(4) & 0xff_ff_ff;
  const header = JSON.parse(frame.toString('utf8', 8, 8 + headerLength)) as { code: number; remark?: string };
  return {
    code: header.code,
    remark: header.remark ?? '',
    body: frame.subarray(8 + headerLength, 4 + frame.readInt32BE(0)),
  };
}
