import mqtt, { type IClientOptions, type IStream, MqttClient } from 'mqtt';
import { SessionStream, type TakePublish } from './session-stream.ts';

/** The one version in whose source `streamBuilder` was looked at. */
const KNOWN_VERSION = '5.16.0';

/**
 * A client of MQTT.js that gets every packet but PUBLISH. Nothing happens before its `connect()`, so that listeners are there
 * when a broker sends what it has queued right behind its CONNACK.
 *
 * The only place that reaches into MQTT.js: it makes the connection (TCP, TLS, websocket) by a private member, around which
 * ours is put. `take` and `made` belong to each connection.
 *
 * @param made - is given the stream as soon as MQTT.js begins to connect
 */
export function createSessionClient(
  url: string,
  options: IClientOptions,
  takePublish: TakePublish,
  made: (stream: SessionStream) => void,
): MqttClient {
  if (MqttClient.VERSION !== KNOWN_VERSION) {
    throw new Error(`the session path needs MQTT.js ${KNOWN_VERSION} exactly, this is ${MqttClient.VERSION}`);
  }
  const client = mqtt.connect(url, { ...options, manualConnect: true, reconnectPeriod: 0 });
  // biome-ignore lint/complexity/useLiteralKeys: TypeScript lets a private member be named in this way only.
  const build = client['streamBuilder'];
  // biome-ignore lint/complexity/useLiteralKeys: as above.
  client['streamBuilder'] = (self: MqttClient) => {
    const connection = build(self);
    withoutNagle(connection);
    const stream = new SessionStream(connection, takePublish);
    made(stream);
    return stream;
  };
  return client;
}

/**
 * With Nagle's algorithm acknowledgements wait for 40 ms, and a window of 50 messages makes 1,100 a second of what could be
 * 76,000. Websockets are without it already (`ws` sees to that).
 */
function withoutNagle(connection: IStream): void {
  if (!('setNoDelay' in connection) || typeof connection.setNoDelay !== 'function') return;
  const { setNoDelay } = connection;
  connection.once('connect', () => setNoDelay.call(connection, true));
}
