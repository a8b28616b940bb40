import { createHash, randomBytes } from 'node:crypto';
import { PLANTED } from './planted.ts';

/** One message of a run: what it is told by, and what it must arrive as. */
export interface NumberedMessage {
  number: number;
  payload: Buffer;
  /** One of a few: what stays in order. */
  line: string;
}

const LINES = 16;

/** Binary payloads of many sizes, the first two empty and of all byte values; their numbers are in a property. */
export function numberedMessages(count: number): NumberedMessage[] {
  return Array.from({ length: count }, (_, number) => numberedMessage(number));
}

export function numberedMessage(number: number): NumberedMessage {
  return { number, payload: payloadOf(number), line: `line${number % LINES}` };
}

export function sha256(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex');
}

/** What a run sent, or what came of it: for each number the hash of its payload. */
export interface Witness {
  hashes: Map<number, string>;
  /** Numbers in the order of their coming, by line. */
  order: Map<string, number[]>;
  duplicates: number;
}

export function createWitness(): Witness & { note(number: number, line: string, payload: Uint8Array): void } {
  const witness: Witness = { hashes: new Map(), order: new Map(), duplicates: 0 };
  return Object.assign(witness, {
    note(number: number, line: string, payload: Uint8Array) {
      if (witness.hashes.has(number)) {
        witness.duplicates += 1;
        return;
      }
      witness.hashes.set(number, sha256(payload));
      const numbers = witness.order.get(line) ?? [];
      numbers.push(number);
      witness.order.set(line, numbers);
    },
  });
}

/** Numbers that are missing or have another payload. */
export function differences(sent: readonly NumberedMessage[], { hashes }: Witness) {
  const lost = sent.filter(({ number }) => !hashes.has(number)).map(({ number }) => number);
  const changed = sent
    .filter(({ number, payload }) => hashes.has(number) && hashes.get(number) !== sha256(payload))
    .map(({ number }) => number);
  return { lost, changed };
}

/** Lines whose first arrivals are not in the order of their sending. */
export function disordered({ order }: Witness): string[] {
  return [...order]
    .filter(([, numbers]) => numbers.some((number, index) => number < (numbers[index - 1] ?? -1)))
    .map(([line]) => line);
}

function payloadOf(number: number): Buffer {
  if (number === 0) return Buffer.alloc(0);
  if (number === 1) return Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  return Buffer.concat([randomBytes(1 + ((number * 37) % 512)), Buffer.from(PLANTED.payload)]);
}
