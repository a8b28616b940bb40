import { hash } from 'node:crypto';
import { crc32, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** `apache.rocketmq.v2.DigestType` and `Encoding`. */
const DIGEST = { CRC32: 1, MD5: 2, SHA1: 3 } as const;
const ENCODING_GZIP = 2;

/** What a body may become when it is unpacked: beyond it is taken for an attack or a defect. */
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

export interface CheckedBody {
  body: Buffer;
  isCorrupted: boolean;
}

/** What came with a body; 0 and '' where nothing did. */
export interface BodyMarks {
  encoding: number;
  digestType: number;
  checksum: string;
}

/**
 * The body as its producer had it. One that does not have its digest, or cannot be unpacked, comes as it is, and is marked.
 */
export function checkBody(bytes: Buffer, { encoding, digestType, checksum }: BodyMarks): CheckedBody {
  // The digest is that of the bytes on the wire.
  const isCorrupted = checksum !== '' && !hasDigest(bytes, digestType, checksum);
  if (encoding !== ENCODING_GZIP || isCorrupted) return { body: bytes, isCorrupted };
  try {
    return { body: unpack(bytes), isCorrupted: false };
  } catch {
    // Not what it says it is, broken, or too large: whoever reads it decides by the mark.
    return { body: bytes, isCorrupted: true };
  }
}

/** A digest of a type that this version does not know is not held against the body. */
function hasDigest(bytes: Buffer, digestType: number, checksum: string): boolean {
  if (digestType === DIGEST.MD5) return hash('md5', bytes, 'hex') === checksum.toLowerCase();
  if (digestType === DIGEST.SHA1) return hash('sha1', bytes, 'hex') === checksum.toLowerCase();
  if (digestType !== DIGEST.CRC32) return true;
  // Official clients differ: most write it in hexadecimal, that for Node.js in decimal.
  const value = crc32(bytes);
  return Number.parseInt(checksum, 16) === value || checksum === `${value}`;
}

/**
 * The proxy announces every packed body as GZIP, whatever packed it: producers of the remoting protocol use zlib unless
 * told otherwise, or Zstandard. So the first bytes decide. LZ4 is not unpacked.
 */
function unpack(bytes: Buffer): Buffer {
  const limit = { maxOutputLength: MAX_UNPACKED_BYTES };
  const head = bytes.length < 4 ? 0 : bytes.readUInt32BE();
  if (head >>> 16 === 0x1f8b) return gunzipSync(bytes, limit);
  if (head === 0x28b52ffd) return zstdDecompressSync(bytes, limit);
  // RFC 1950: method 8, and both bytes as one number are a multiple of 31.
  const zlibHeader = head >>> 16;
  if ((zlibHeader & 0x0f00) === 0x0800 && zlibHeader % 31 === 0) return inflateSync(bytes, limit);
  throw new RangeError('the body is packed in a way that is not known');
}
