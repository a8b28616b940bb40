import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export interface IotEndpoint {
  url: string;
  headers: Record<string, string>;
}

/** An MQTT 5 device on the stack's AWS IoT endpoint. It never reconnects: what dies stays dead. */
export async function connectDevice(
  endpoint: IotEndpoint,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(endpoint.url, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    wsOptions: { headers: endpoint.headers },
    ...options,
  });
  client.on('error', () => undefined);
  return client;
}

/** Power loss: the TCP connection is gone without a DISCONNECT, so the broker publishes the will. */
export function losePower(client: MqttClient): void {
  const stream = client.stream as unknown as {
    _socket?: { destroy(): void };
    socket?: { terminate?(): void };
    destroy(): void;
  };
  if (stream.socket?.terminate !== undefined) stream.socket.terminate();
  else if (stream._socket !== undefined) stream._socket.destroy();
  else stream.destroy();
}
