import { createHmac } from 'node:crypto';
import type { RocketmqCredentials } from '../rocketmq/metadata.ts';
import { foreignAnswer } from './errors.ts';

export interface RemotingRequest {
  /** `RequestCode` of RocketMQ. */
  code: number;
  fields?: Readonly<Record<string, string>>;
  body?: Buffer;
}

export interface RemotingResponse {
  /** `ResponseCode` of RocketMQ; 0: done. */
  code: number;
  remark: string;
  body: Buffer;
}

// Any version since 5.0 tells the broker that we read its current answers.
const PROTOCOL_VERSION = 497;
const LENGTH_BYTES = 4;
/** As `com.rocketmq.remoting.frameMaxLength` of the servers. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/**
 * A request as one frame: length and header length (int32 each; the highest byte of the second is 0 for JSON), header, body.
 * With credentials the request is signed, as ACL wants it.
 */
export function encodeFrame(
  { code, fields = {}, body = Buffer.alloc(0) }: RemotingRequest,
  credentials?: RocketmqCredentials,
): Buffer {
  const extFields = credentials === undefined ? fields : signed(fields, body, credentials);
  const header = Buffer.from(
    JSON.stringify({ code, flag: 0, language: 'JAVA', opaque: 1, version: PROTOCOL_VERSION, extFields }),
  );
  const lengths = Buffer.alloc(2 * LENGTH_BYTES);
  lengths.writeInt32BE(LENGTH_BYTES + header.length + body.length, 0);
  lengths.writeInt32BE(header.length, LENGTH_BYTES);
  return Buffer.concat([lengths, header, body]);
}

/**
 * Collects the pieces of one answer: the function takes them as they come and answers the response once it is whole. Throws
 * `BrokerHoldError` `ADMIN_ADDRESS_INVALID` for what is no frame, or one of more than 16 MiB.
 *
 * @param address - who answers, for the error
 */
export function createFrameReader(address: string): (piece: Buffer) => RemotingResponse | undefined {
  const pieces: Buffer[] = [];
  let received = 0;
  let expected: number | undefined;
  return (piece) => {
    pieces.push(piece);
    received += piece.length;
    if (received < LENGTH_BYTES) return undefined;
    expected ??= LENGTH_BYTES + lengthOf(Buffer.concat(pieces), address);
    return received < expected
      ? undefined
      : decodeFrame(Buffer.concat(pieces).subarray(0, expected), address);
  };
}

function lengthOf(frame: Buffer, address: string): number {
  const length = frame.readInt32BE(0);
  if (length < LENGTH_BYTES || length > MAX_FRAME_BYTES) throw foreignAnswer(address);
  return length;
}

function decodeFrame(frame: Buffer, address: string): RemotingResponse {
  const headerLength = frame.readInt32BE(LENGTH_BYTES) & 0xff_ff_ff;
  const bodyStart = 2 * LENGTH_BYTES + headerLength;
  if (bodyStart > frame.length) throw foreignAnswer(address);
  const header = parseHeader(frame.toString('utf8', 2 * LENGTH_BYTES, bodyStart), address);
  return { code: header.code, remark: header.remark ?? '', body: frame.subarray(bodyStart) };
}

function parseHeader(text: string, address: string): { code: number; remark?: string } {
  try {
    const header: unknown = JSON.parse(text);
    if (isHeader(header)) return header;
  } catch (cause) {
    throw foreignAnswer(address, cause);
  }
  throw foreignAnswer(address);
}

function isHeader(header: unknown): header is { code: number; remark?: string } {
  return typeof header === 'object' && header !== null && 'code' in header && typeof header.code === 'number';
}

/** ACL signs the values of all fields in the order of their names, then the body. */
function signed(
  fields: Readonly<Record<string, string>>,
  body: Buffer,
  { accessKey, secretKey, securityToken }: RocketmqCredentials,
): Record<string, string> {
  const all: Record<string, string> = {
    ...fields,
    AccessKey: accessKey,
    ...(securityToken === undefined ? {} : { SecurityToken: securityToken }),
  };
  const hmac = createHmac('sha1', secretKey);
  for (const name of Object.keys(all).sort()) hmac.update(all[name] ?? '');
  return { ...all, Signature: hmac.update(body).digest('base64') };
}
