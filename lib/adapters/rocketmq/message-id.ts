import { randomBytes } from 'node:crypto';

const VERSION = '01';
/** Seconds in a message id count from 2021-01-01T00:00:00Z. */
const EPOCH_SECONDS = Date.UTC(2021, 0, 1) / 1_000;
const UINT32 = 0x1_0000_0000;

/** Answers a new message id with each call. */
export type MessageIds = () => string;

/**
 * RocketMQ message ids, version 1: version (1 byte), machine (6), process (2), seconds since 2021 (4), sequence (4), in
 * upper-case hexadecimal (https://github.com/apache/rocketmq-clients/blob/master/docs/message_id.md). The layout wants a
 * MAC address for the machine; Lambda sandboxes show none and share process ids, so those 8 bytes are random here.
 */
export function createMessageIds(now: () => number = Date.now): MessageIds {
  const origin = VERSION + randomBytes(8).toString('hex').toUpperCase();
  let sequence = 0;
  let second = -1;
  let prefix = '';

  return () => {
    const current = Math.floor(now() / 1_000);
    if (current !== second) {
      second = current;
      prefix = origin + hex32(current - EPOCH_SECONDS);
    }
    const id = prefix + hex32(sequence);
    sequence = (sequence + 1) % UINT32;
    return id;
  };
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).toUpperCase().padStart(8, '0');
}
