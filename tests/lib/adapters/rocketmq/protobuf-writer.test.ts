import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProtobufWriter } from '../../../../lib/adapters/rocketmq/protobuf-writer.ts';

function readVarint(bytes: Buffer): number {
  return bytes.reduce((value, byte, index) => value + (byte & 0x7f) * 0x80 ** index, 0);
}

describe('ProtobufWriter', () => {
  it('writes the shortest varint of any number below 2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const writer = new ProtobufWriter(1);
        writer.varint(value);
        const bytes = writer.finish();
        expect(readVarint(bytes)).toBe(value);
        expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
        expect([...bytes].map((byte) => byte > 0x7f)).toEqual(
          [...bytes].map((_, index) => index < bytes.length - 1),
        );
      }),
    );
  });

  it('grows, and keeps what it has, when the first guess was too small', () => {
    const writer = new ProtobufWriter(1);
    writer.raw(Buffer.alloc(100, 1));
    writer.raw(Buffer.alloc(10_000, 2));
    expect(writer.finish()).toEqual(Buffer.concat([Buffer.alloc(10_000, 2), Buffer.alloc(100, 1)]));
  });

  it('puts the length and the field number before what was written', () => {
    const writer = new ProtobufWriter(64);
    writer.string(2, 'ü');
    writer.prefix(1, 0);
    expect(writer.finish().toString('hex')).toBe('0a041202c3bc');
  });

  it('writes a lone surrogate as U+FFFD', () => {
    const writer = new ProtobufWriter(64);
    writer.string(1, 'a\ud800');
    expect(writer.finish().subarray(2).toString()).toBe('a\ufffd');
  });
});
