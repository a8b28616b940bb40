import mqtt, { type MqttClient } from 'mqtt';
import type { StackFile } from '../stack-file.ts';

/** A simulated EV charger. */
export interface Charger {
  /** The TCP connection is gone without a DISCONNECT, so the broker publishes the will. */
  losePower(): void;
  disconnect(): Promise<void>;
}

export interface ChargerOptions {
  id: string;
  site: string;
  onCommand: (topic: string, payload: string) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects a charger to the stack's AWS IoT endpoint. Its will says which device, where, which error; it listens for
 * commands.
 */
export async function connectCharger(
  iot: StackFile['iot'],
  { id, site, onCommand }: ChargerOptions,
): Promise<Charger> {
  const client = await mqtt.connectAsync(iot.url, {
    clientId: id,
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    wsOptions: { headers: iot.headers },
    will: {
      topic: `stations/${id}/status`,
      payload: Buffer.from(JSON.stringify({ device: id, site, error: 'POWER_LOST' })),
      qos: 1,
      retain: false,
    },
  });
  // Without a listener the error of a dying connection would end the process.
  client.on('error', () => undefined);
  client.on('message', (topic, payload) => onCommand(topic, payload.toString()));
  await client.subscribeAsync(`stations/${id}/commands`, { qos: 1 });
  return {
    losePower: () => terminate(client),
    disconnect: () => client.endAsync(),
  };
}

/** MQTT.js hides the socket under its websocket stream; `end(true)` would still close the websocket politely. */
function terminate(client: MqttClient): void {
  const stream = client.stream as unknown as { socket?: { terminate?(): void }; destroy(): void };
  if (stream.socket?.terminate === undefined) stream.destroy();
  else stream.socket.terminate();
}
