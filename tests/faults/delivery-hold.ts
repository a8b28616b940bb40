import { type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import type { RelayedConnection } from '../helpers/relay.ts';

/** What a broker wants acknowledged, and never gets acknowledged: one message, however often it is delivered. */
export interface DeliveryHold {
  /** To be told of each connection of the relay before the broker. */
  watch(connection: RelayedConnection): void;
  /** The first message that this client is sent from its next connection on is held. */
  begin(clientId: string): void;
  /** On how many connections it was delivered, of which nothing that the client said after it has reached the broker. */
  readonly deliveries: number;
  end(): void;
}

/** Holds one message at a time. Connections made before `begin` are not looked at: what they carry cannot be told apart any more. */
export function createDeliveryHold(): DeliveryHold {
  let wanted: string | undefined;
  let topic: string | undefined;
  let deliveries = 0;

  /** Whether it is the one that is held. */
  function delivered(packet: IPublishPacket): boolean {
    if (packet.qos === 0) return false;
    topic ??= packet.topic;
    if (packet.topic !== topic) return false;
    deliveries += 1;
    return true;
  }

  return {
    watch({ client, broker, muteClient }) {
      if (wanted === undefined) return;
      let isHeld = false;
      let isWanted = false;
      onPackets(client, (packet) => {
        if (packet.cmd === 'connect') isWanted = packet.clientId === wanted;
      });
      onPackets(broker, (packet) => {
        if (!isWanted || isHeld || wanted === undefined || packet.cmd !== 'publish') return;
        isHeld = delivered(packet);
        if (isHeld) muteClient();
      });
    },
    begin(clientId) {
      wanted = clientId;
      topic = undefined;
      deliveries = 0;
    },
    get deliveries() {
      return deliveries;
    },
    end() {
      wanted = undefined;
    },
  };
}

function onPackets(socket: RelayedConnection['client'], look: (packet: Packet) => void): void {
  const packets = parser({ protocolVersion: 5 });
  packets.on('packet', look);
  // What cannot be read is the broker's or the client's to judge.
  packets.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => packets.parse(chunk));
}
