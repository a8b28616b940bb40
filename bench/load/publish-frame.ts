/** What the benches look at in a PUBLISH of MQTT 5 with QoS 1 or 2. */
export interface PublishFrame {
  packetId: Buffer;
  propertyBytes: number;
  payload: Buffer;
}

/** @param frame - exactly one packet */
export function publishIn(frame: Buffer): PublishFrame {
  const topicAt = afterVariableInteger(frame, 1).next;
  const packetIdAt = topicAt + 2 + frame.readUInt16BE(topicAt);
  const properties = afterVariableInteger(frame, packetIdAt + 2);
  return {
    packetId: frame.subarray(packetIdAt, packetIdAt + 2),
    propertyBytes: properties.value,
    payload: frame.subarray(properties.next + properties.value),
  };
}

function afterVariableInteger(frame: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = frame.readUInt8(at + index);
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  throw new Error('no variable byte integer [MQTT-1.5.5-1]');
}
