import type { SecretReader } from '../../ports/secret-reader.ts';
import type { AwsIotWebsocket } from '../aws-iot/websocket.ts';
import { checkHost } from '../network/address-guard.ts';
import { mqttClientOptions } from './client-options.ts';
import { parseMqttSecret } from './mqtt-secret.ts';
import type { AddressOf } from './session.ts';

/** Addresses of both kinds of cluster: the record and its secret, or the account's endpoint with a signature. */
export function createSessionAddresses({
  secrets,
  awsIot,
}: {
  secrets: SecretReader;
  awsIot: AwsIotWebsocket;
}): AddressOf {
  return async (cluster, { fresh, ...client }) => {
    if (cluster.kind === 'mqtt') {
      const { secretRef, url } = cluster;
      await checkHost(new URL(url).hostname);
      const members = secretRef === undefined ? {} : await secrets.read(secretRef, { fresh });
      return mqttClientOptions(cluster, parseMqttSecret(members), client);
    }
    const { url, headers } = await awsIot.sign(cluster.region);
    const { options } = mqttClientOptions({ url }, {}, client);
    return { url, options: headers === undefined ? options : { ...options, wsOptions: { headers } } };
  };
}
