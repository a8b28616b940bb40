import { createHash } from 'node:crypto';

const PAYLOAD_BYTES = 256;
const NUMBER_BYTES = 4;

/** Binary, told by its number, which makes all the rest of it. */
export function payloadOf(number: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.writeUInt32BE(number);
  const hash = createHash('sha256').update(payload.subarray(0, NUMBER_BYTES)).digest();
  for (let at = NUMBER_BYTES; at < PAYLOAD_BYTES; at += hash.length) hash.copy(payload, at);
  return payload;
}

/** What has come of numbered messages, in a byte for each: a soak sends a million. */
export interface Tally {
  note(payload: Uint8Array): void;
  readonly arrived: number;
  readonly duplicates: number;
  readonly changed: number;
}

/** @param most - numbers are below this */
export function createTally(most: number): Tally {
  const times = new Uint8Array(most);
  let arrived = 0;
  let duplicates = 0;
  let changed = 0;
  return {
    note(payload) {
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
      const number = bytes.length === PAYLOAD_BYTES ? bytes.readUInt32BE() : most;
      if (number >= most || !bytes.equals(payloadOf(number))) {
        changed += 1;
        return;
      }
      if (times[number] === 0) arrived += 1;
      else duplicates += 1;
      times[number] = 1;
    },
    get arrived() {
      return arrived;
    },
    get duplicates() {
      return duplicates;
    },
    get changed() {
      return changed;
    },
  };
}
