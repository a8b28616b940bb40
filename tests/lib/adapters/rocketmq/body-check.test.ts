import { hash } from 'node:crypto';
import { crc32, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { checkBody } from '../../../../lib/adapters/rocketmq/body-check.ts';

const BODY = Buffer.from('a body that is long enough to be packed '.repeat(10));
const IDENTITY = 1;
const GZIP = 2;
const [CRC32, MD5, SHA1] = [1, 2, 3];
const UNMARKED = { encoding: IDENTITY, digestType: 0, checksum: '' };

describe('checkBody', () => {
  it.each([
    { what: 'CRC32, hexadecimal', digestType: CRC32, checksum: crc32(BODY).toString(16).toUpperCase() },
    { what: 'CRC32, decimal', digestType: CRC32, checksum: `${crc32(BODY)}` },
    { what: 'MD5', digestType: MD5, checksum: hash('md5', BODY).toUpperCase() },
    { what: 'SHA1', digestType: SHA1, checksum: hash('sha1', BODY) },
  ])('knows a body by its $what, and marks one that has another', ({ digestType, checksum }) => {
    const marks = { ...UNMARKED, digestType, checksum };
    expect(checkBody(BODY, marks)).toEqual({ body: BODY, isCorrupted: false });
    const other = Buffer.from(BODY).fill('x', 3, 4);
    expect(checkBody(other, marks)).toEqual({ body: other, isCorrupted: true });
  });

  it('holds nothing against a body without a digest, or with one of an unknown type', () => {
    expect(checkBody(BODY, UNMARKED).isCorrupted).toBe(false);
    expect(checkBody(BODY, { ...UNMARKED, digestType: 9, checksum: 'x' }).isCorrupted).toBe(false);
  });

  it.each([
    { what: 'gzip', packed: gzipSync(BODY) },
    { what: 'zlib', packed: deflateSync(BODY) },
    { what: 'zlib, fastest', packed: deflateSync(BODY, { level: 1 }) },
    { what: 'Zstandard', packed: zstdCompressSync(BODY) },
  ])('unpacks $what whatever it is announced as, and takes the digest of what was packed', ({ packed }) => {
    const marks = { encoding: GZIP, digestType: MD5, checksum: hash('md5', packed) };
    expect(checkBody(packed, marks)).toEqual({ body: BODY, isCorrupted: false });
  });

  it('leaves a body alone that only looks packed', () => {
    const packed = gzipSync(BODY);
    expect(checkBody(packed, UNMARKED)).toEqual({ body: packed, isCorrupted: false });
  });

  it.each([
    { what: 'is broken', packed: gzipSync(BODY).fill(0, 30, 34) },
    { what: 'ends too early', packed: deflateSync(BODY).subarray(0, 20) },
    { what: 'is not packed', packed: BODY },
    { what: 'is empty', packed: Buffer.alloc(0) },
    { what: 'would become larger than 32 MiB', packed: gzipSync(Buffer.alloc(33 * 1024 * 1024)) },
  ])('marks a body announced as packed that $what, and gives it as it is', ({ packed }) => {
    expect(checkBody(packed, { ...UNMARKED, encoding: GZIP })).toEqual({ body: packed, isCorrupted: true });
  });
});
