import type { IClientOptions } from 'mqtt';
import type { Cluster } from '../../domain/clusters/cluster.ts';
import { BrokerHoldError } from '../../domain/errors/errors.ts';
import { assertAllowedHost, guardedLookup } from '../network/address-guard.ts';
import type { MqttSecret } from './mqtt-secret.ts';

/** 4 is MQTT 3.1.1. */
export type MqttProtocolVersion = 4 | 5;

/** Longest wait for a TCP connection, TLS and CONNACK together; attempts have their own, see connect-patience.ts. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A dead connection is known after 1.5 times as long. AWS IoT takes no less than 30. */
const KEEPALIVE_SECONDS = 30;
/** IANA's ports for MQTT; websockets have the web's. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['mqtt:', 1883],
  ['mqtts:', 8883],
  ['ws:', 80],
  ['wss:', 443],
]);
const WEBSOCKETS: ReadonlySet<string> = new Set(['ws:', 'wss:']);
const WITH_TLS: ReadonlySet<string> = new Set(['mqtts:', 'wss:']);

/** The part of a cluster's record that says where its broker is. */
export type MqttAddress = Pick<Extract<Cluster, { kind: 'mqtt' }>, 'url'>;

/**
 * How MQTT.js connects to the broker of a cluster: `new MqttClient` does nothing until `connect()`, never reconnects by
 * itself and keeps nothing for later. Sessions add `clean: false` and their properties.
 *
 * Throws `BrokerHoldError`: `TLS_MISMATCH` for a client certificate and an address without TLS, `ADDRESS_NOT_ALLOWED`.
 */
export function mqttClientOptions(
  { url }: MqttAddress,
  secret: MqttSecret,
  { clientId, protocolVersion }: { clientId: string; protocolVersion: MqttProtocolVersion },
): { url: string; options: IClientOptions } {
  const { protocol, hostname, port } = new URL(url);
  const { username, password, cert, key, ca } = secret;
  const isSecure = WITH_TLS.has(protocol);
  assertAllowedHost(hostname);
  // MQTT.js would speak TLS all the same, to a port that does not.
  if (cert !== undefined && !isSecure) {
    throw new BrokerHoldError('the secret of the cluster holds a certificate, and its address has no TLS', {
      code: 'TLS_MISMATCH',
      scope: 'cluster',
      hint: 'Use mqtts:// or wss:// in "url" of the cluster, or take the certificate out of its secret.',
    });
  }
  return {
    url,
    options: {
      clientId,
      protocolVersion,
      port: Number(port) || (DEFAULT_PORTS.get(protocol) ?? 1883),
      // Otherwise `?clientId=` in the address would replace ours.
      query: {},
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(isSecure ? { rejectUnauthorized: true } : {}),
      ...(isSecure && ca !== undefined ? { ca } : {}),
      ...(isSecure && cert !== undefined && key !== undefined ? { cert, key } : {}),
      // A websocket begins as a request of HTTP, which others understand too.
      ...(WEBSOCKETS.has(protocol) ? { wsOptions: guardedLookup() } : {}),
      clean: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: KEEPALIVE_SECONDS,
      manualConnect: true,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // The default formats each packet for a debugger that nobody reads.
      log: () => {},
    },
  };
}
