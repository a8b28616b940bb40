import mqtt from 'mqtt';
import type { StackFile } from '../stack-file.ts';

/** The machines of the factory, at its own MQTT broker. */
export interface Machines {
  /** Publishes an event of one of them; resolves when the broker has it. */
  report(id: string, event: object): Promise<void>;
  disconnect(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

export async function connectMachines({ url, username, password }: StackFile['mqtt']): Promise<Machines> {
  const client = await mqtt.connectAsync(url, {
    clientId: 'factory-gateway',
    protocolVersion: 5,
    username,
    password,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  return {
    async report(id, event) {
      await client.publishAsync(`factory/${id}/events`, JSON.stringify(event), { qos: 1 });
    },
    disconnect: () => client.endAsync(),
  };
}
