import type { UserProperty } from '../../lib/domain/messages/message.ts';

const BODY_BYTES = 256;

/** Three, as devices send them. */
export const USER_PROPERTIES: readonly UserProperty[] = [
  ['site', 'berlin'],
  ['firmware', '1.2.3'],
  ['model', 'AC-22'],
];

/** 256 bytes that begin with the message's number, by which it is known at the other end. */
export function bodyOf(sequence: number): Buffer {
  const body = Buffer.alloc(BODY_BYTES, '{"error":"E12","phase":"L2","power":11042}');
  body.writeUInt32BE(sequence);
  return body;
}

export function sequenceOf(body: Buffer): number {
  return body.readUInt32BE();
}
