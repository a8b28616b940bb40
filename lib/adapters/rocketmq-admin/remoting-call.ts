import { connect } from 'node:net';
import { BridgeError } from '../../domain/errors/errors.ts';
import { assertAllowedHost, guardedLookup } from '../network/address-guard.ts';
import type { RocketmqCredentials } from '../rocketmq/metadata.ts';
import { connectionFailed, noAnswer } from './errors.ts';
import {
  createFrameReader,
  encodeFrame,
  type RemotingRequest,
  type RemotingResponse,
} from './remoting-frame.ts';

export type { RemotingRequest, RemotingResponse };

export interface RemotingOptions {
  /** Signs the request; absent where ACL is off. */
  credentials?: RocketmqCredentials | undefined;
  /** From the look-up of the name to the last byte of the answer. */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 4_000;

/**
 * One request of RocketMQ's remoting protocol on a connection of its own, in plain text: the signature does not show the secret
 * key. Whatever the other side answers, a refusal too, is answered. Throws `BridgeError`: `ADMIN_UNREACHABLE`, `ADMIN_TIMEOUT`,
 * `ADMIN_ADDRESS_INVALID`, `ADDRESS_NOT_ALLOWED`.
 *
 * @param address host:port of a name server or broker.
 */
export async function remotingCall(
  address: string,
  request: RemotingRequest,
  { credentials, timeoutMs = TIMEOUT_MS }: RemotingOptions = {},
): Promise<RemotingResponse> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  assertAllowedHost(host);
  const answer = Promise.withResolvers<RemotingResponse>();
  const read = createFrameReader(address);
  let isSent = false;
  const socket = connect({ host, port: portOf(address.slice(colon + 1)), ...guardedLookup() });
  // Of the whole call: a peer that trickles must not hold it for longer.
  const timer = setTimeout(() => answer.reject(noAnswer(address, timeoutMs, isSent)), timeoutMs);
  socket.on('connect', () => {
    isSent = true;
    socket.write(encodeFrame(request, credentials));
  });
  socket.on('error', (cause) => {
    answer.reject(cause instanceof BridgeError ? cause : connectionFailed(address, isSent, cause));
  });
  socket.on('close', () => answer.reject(connectionFailed(address, isSent)));
  socket.on('data', (piece) => {
    try {
      const response = read(piece);
      if (response !== undefined) answer.resolve(response);
    } catch (error) {
      answer.reject(error);
    }
  });
  try {
    return await answer.promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** A port out of range would make `connect` throw; 0 is refused by the system in its own words. */
function portOf(text: string): number {
  const port = Number(text);
  return port <= 65_535 ? port : 0;
}
