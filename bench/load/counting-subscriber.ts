import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { RECEIVE_MAXIMUM } from '../stage/receive-maximum.ts';
import type { BenchBroker } from '../stage/stage.ts';
import { sequenceOf } from './message.ts';
import { publishIn } from './publish-frame.ts';

/** Subscribed with QoS 1, at as little cost as may be: beside it two contenders are measured on the same machine. */
export interface CountingSubscriber {
  /** Different messages so far, by their number. */
  readonly distinct: number;
  /** All so far, also those that came again. */
  readonly received: number;
  /** Of these with MQTT 5 user properties. */
  readonly withProperties: number;
  close(): void;
}

const PUBLISH = 3;
const SUBACK = 9;
const CONNACK = 2;
const CONNECT_TIMEOUT_MS = 10_000;

/** @param options.count - how many different messages there can be */
export async function subscribeCounting(
  broker: BenchBroker,
  { topicFilter, count }: { topicFilter: string; count: number },
): Promise<CountingSubscriber> {
  const { hostname, port } = new URL(broker.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
  const seen = new Uint8Array(count);
  const counts = { distinct: 0, received: 0, withProperties: 0 };
  const subscribed = Promise.withResolvers<void>();
  socket.once('close', () => subscribed.reject(new Error(`the broker closed the subscriber's connection`)));

  const onPublish = (frame: Buffer): Buffer | undefined => {
    const { packetId, propertyBytes, payload } = publishIn(frame);
    const sequence = sequenceOf(payload);
    counts.received += 1;
    if (propertyBytes > 0) counts.withProperties += 1;
    if (seen[sequence] === 0) counts.distinct += 1;
    seen[sequence] = 1;
    return packetId;
  };
  readFrames(socket, (type, frame) => {
    if (type === PUBLISH) return onPublish(frame);
    if (type === CONNACK) socket.write(subscribePacket(topicFilter));
    if (type === SUBACK) subscribed.resolve();
    return undefined;
  });
  socket.write(connectPacket(broker));
  await subscribed.promise;
  return {
    get distinct() {
      return counts.distinct;
    },
    get received() {
      return counts.received;
    },
    get withProperties() {
      return counts.withProperties;
    },
    close: () => socket.destroy(),
  };
}

/** Cuts what arrives into packets; sends the PUBACKs of one read together. */
function readFrames(socket: Socket, onFrame: (type: number, frame: Buffer) => Buffer | undefined): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const acknowledgements: Buffer[] = [];
    let at = 0;
    for (let end = endOfFrame(data, at); end !== undefined; end = endOfFrame(data, at)) {
      const packetId = onFrame((data[at] ?? 0) >> 4, data.subarray(at, end));
      if (packetId !== undefined) acknowledgements.push(PUBACK_HEAD, packetId);
      at = end;
    }
    rest = data.subarray(at);
    if (acknowledgements.length > 0) socket.write(Buffer.concat(acknowledgements));
  });
}

/** PUBACK with nothing but a packet identifier. */
const PUBACK_HEAD = Buffer.from([0x40, 2]);

/** Undefined: not all of it has arrived. */
function endOfFrame(data: Buffer, at: number): number | undefined {
  let length = 0;
  for (let index = 1; index <= 4; index += 1) {
    const byte = data[at + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) {
      const end = at + index + 1 + length;
      return end > data.length ? undefined : end;
    }
  }
  throw new Error('no MQTT packet');
}

function connectPacket({ username, password }: BenchBroker): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: 'bench-subscriber',
    clean: true,
    keepalive: 0,
    username,
    password: Buffer.from(password),
    properties: { receiveMaximum: RECEIVE_MAXIMUM },
  });
}

function subscribePacket(topic: string): Buffer {
  return generate(
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] },
    { protocolVersion: 5 },
  );
}
