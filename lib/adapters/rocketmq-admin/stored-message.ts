// Layout of a message as brokers store and hand it out (`MessageDecoder` of RocketMQ): sizes, checksum, queue, flag and
// offsets come before these.
const SYS_FLAG_AT = 36;
const BORN_HOST_AT = 48;
const BORN_HOST_IS_IPV6 = 0x10;
const [IPV4_HOST_BYTES, IPV6_HOST_BYTES] = [8, 20];

/** Epoch ms at which the broker stored the first message of a pulled body; undefined: it is too short to be one. */
export function storeTimeOf(body: Buffer): number | undefined {
  if (body.length < BORN_HOST_AT) return undefined;
  const isIpv6 = (body.readInt32BE(SYS_FLAG_AT) & BORN_HOST_IS_IPV6) !== 0;
  const at = BORN_HOST_AT + (isIpv6 ? IPV6_HOST_BYTES : IPV4_HOST_BYTES);
  return body.length < at + 8 ? undefined : Number(body.readBigInt64BE(at));
}
