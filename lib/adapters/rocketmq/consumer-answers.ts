import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { ProtobufReader } from './protobuf-reader.ts';
import { decodeStatus } from './received-message.ts';
import { type WireStatus, wireStatus } from './wire.ts';

const STATUS_FIELD_TAG = (1 << 3) | 2;

/** The `status` of any answer: field 1 in all of them. */
export function decodeAnswerStatus(bytes: Buffer): WireStatus {
  const reader = new ProtobufReader(bytes);
  while (reader.position < bytes.length) {
    const tag = reader.varint();
    if (tag === STATUS_FIELD_TAG) return decodeStatus(reader);
    reader.skip(tag);
  }
  return { code: 0, text: '' };
}

/** Results of the entries of an `AckMessageResponse`, by receipt handle: they come in no order. */
export function decodeAckEntries(bytes: Buffer): ReadonlyMap<string, WireStatus> {
  const entries = rpc.AckMessageResponse.deserializeBinary(bytes).getEntriesList();
  return new Map(entries.map((entry) => [entry.getReceiptHandle(), wireStatus(entry.getStatus())]));
}

export function decodeChangeInvisible(bytes: Buffer): { status: WireStatus; receiptHandle: string } {
  const response = rpc.ChangeInvisibleDurationResponse.deserializeBinary(bytes);
  return { status: wireStatus(response.getStatus()), receiptHandle: response.getReceiptHandle() };
}

/** What a proxy says on the telemetry stream, as far as a consumer needs it. */
export type TelemetrySaid =
  | { kind: 'settings'; isOrderlyGroup: boolean }
  | { kind: 'refused'; status: WireStatus }
  /** The proxy is about to go, or wants its clients spread anew. */
  | { kind: 'reconnect' }
  | { kind: 'other' };

export function decodeTelemetry(bytes: Buffer): TelemetrySaid {
  const command = rpc.TelemetryCommand.deserializeBinary(bytes);
  const settings = command.getSettings();
  if (settings !== undefined) {
    return { kind: 'settings', isOrderlyGroup: settings.getSubscription()?.getFifo() ?? false };
  }
  if (command.hasReconnectEndpointsCommand()) return { kind: 'reconnect' };
  const status = command.getStatus();
  return status === undefined ? { kind: 'other' } : { kind: 'refused', status: wireStatus(status) };
}
