import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedPacketError } from '../../../../lib/adapters/mqtt/session-publish.ts';
import { SessionStream } from '../../../../lib/adapters/mqtt/session-stream.ts';
import { packetOf } from '../../../helpers/mqtt-packets.ts';

/** A connection whose far side the test holds: it pushes into `source`, and `outgoing` is what was written. */
function connect(onPublish: (packet: Buffer) => void = () => undefined) {
  const outgoing: Buffer[] = [];
  const source = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      outgoing.push(chunk);
      done();
    },
  });
  const published: string[] = [];
  const passed: Buffer[] = [];
  const stream = new SessionStream(source, (bytes, start, _bodyStart, end) => {
    const packet = bytes.subarray(start, end);
    published.push(packet.toString('hex'));
    onPublish(packet);
  });
  stream.on('data', (chunk: Buffer) => passed.push(chunk));
  return {
    source,
    stream,
    outgoing,
    published,
    passed: () => Buffer.concat(passed).toString('hex'),
  };
}
const turns = async (count = 4) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const packets = fc.array(
  fc
    .tuple(fc.constantFrom(0x30, 0x32, 0x3a, 0x90, 0xd0, 0x20, 0x62), fc.nat({ max: 600 }))
    .map(([type, length]) => packetOf(type, Buffer.alloc(length, type))),
  { minLength: 1, maxLength: 20 },
);
const isPublish = (packet: Buffer) => (packet[0] ?? 0) >> 4 === 3;

describe('SessionStream', () => {
  it('parts PUBLISH from the rest, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(packets, fc.array(fc.integer({ min: 1, max: 700 })), async (sent, cuts) => {
        const { source, published, passed } = connect();
        const all = Buffer.concat(sent);
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          if (at < all.length) source.push(all.subarray(at, at + cut));
          at += cut;
        }
        await turns();
        expect(published).toEqual(sent.filter(isPublish).map((packet) => packet.toString('hex')));
        expect(passed()).toBe(Buffer.concat(sent.filter((packet) => !isPublish(packet))).toString('hex'));
      }),
    );
  });

  it('takes nothing on hold, and goes on where it was, not within the call that releases it', async () => {
    const world = connect(() => world.stream.hold());
    const sent = [1, 2, 3].map((byte) => packetOf(0x30, Buffer.from([byte])));
    world.source.push(Buffer.concat(sent));
    await turns();
    expect(world.published).toHaveLength(1);
    world.stream.release();
    expect(world.published).toHaveLength(1);
    await turns();
    expect(world.published).toHaveLength(2);
    world.source.push(packetOf(0xd0));
    world.stream.release();
    await turns();
    expect(world.published).toHaveLength(3);
    expect(world.passed()).toBe('');
    world.stream.release();
    await turns();
    expect(world.passed()).toBe('d000');
  });

  it('writes what was begun in one piece', async () => {
    const { stream, outgoing } = connect();
    stream.cork();
    stream.write(Buffer.from('a packet '));
    stream.write(Buffer.from('of MQTT.js'));
    process.nextTick(() => stream.uncork());
    stream.write(Buffer.from('|an acknowledgement'));
    await turns();
    expect(outgoing.map(String)).toEqual(['a packet of MQTT.js|an acknowledgement']);
  });

  it('still passes on what came last when the connection ends', async () => {
    const { source, stream, passed } = connect();
    source.push(packetOf(0xe0, Buffer.from([0x8e])));
    source.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    expect(passed()).toBe('e0018e');
  });

  it.each([
    ['a fixed header without end', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['a PUBLISH that cannot be read', packetOf(0x30)],
  ])('breaks the connection on %s', async (_, bytes) => {
    const { source, stream } = connect(() => {
      throw new MalformedPacketError('no');
    });
    const failed = new Promise((resolve) => stream.once('error', resolve));
    source.push(bytes);
    expect(await failed).toBeInstanceOf(MalformedPacketError);
    expect(source.destroyed).toBe(true);
  });
});
