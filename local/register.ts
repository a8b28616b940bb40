import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { RunningParts } from './bring-up.ts';
import { rootConfig } from './deploy.ts';
import { LocalStackError } from './errors.ts';
import type { Aws } from './parts/aws.ts';
import type { MqttBroker } from './parts/mqtt-broker.ts';

/** Ids of the clusters, as `stack.json` gives them. */
export const CLUSTERS = { iot: 'devices', mqtt: 'factory', rocketmq: 'business' } as const;

/** Registers the three parts as clusters, over HTTPS, as a user would. */
export async function registerClusters(parts: RunningParts, signal?: AbortSignal): Promise<void> {
  const { aws, mqttBroker, rocketmq } = parts;
  const api = createApiClient({ api: parts.deployment.api, region: aws.region, user: parts.user, signal });
  const secretRef = await keepSecret(aws, mqttBroker);
  await putCluster(api, CLUSTERS.iot, { kind: 'aws-iot', name: 'Devices', region: aws.region });
  await putCluster(api, CLUSTERS.mqtt, {
    kind: 'mqtt',
    name: 'Factory broker',
    region: aws.region,
    url: mqttBroker.url,
    secretRef,
  });
  await putCluster(api, CLUSTERS.rocketmq, {
    kind: 'rocketmq',
    name: 'Business',
    region: aws.region,
    endpoint: rocketmq.endpoint,
    tls: false,
    nameServer: rocketmq.nameServer,
  });
}

/** Registers a cluster, or changes one kept from an earlier run, whose ports may differ. */
async function putCluster(api: ApiClient, clusterId: string, cluster: object): Promise<void> {
  const path = `/clusters/${clusterId}`;
  const { status, etag } = await api('GET', path, { expected: [200, 404] });
  await api('PUT', path, { body: cluster, ifMatch: status === 200 ? etag : undefined });
}

/** The broker's user and password in Secrets Manager; the API only ever gets the ARN. */
async function keepSecret(aws: Aws, { username, password }: MqttBroker): Promise<string> {
  const client = new SecretsManagerClient(rootConfig(aws));
  const Name = 'factory-mqtt-broker';
  const SecretString = JSON.stringify({ username, password });
  try {
    const { ARN } = await client
      .send(new CreateSecretCommand({ Name, SecretString }))
      .catch(async (error: unknown) => {
        if (!(error instanceof ResourceExistsException)) throw error;
        return await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
      });
    if (ARN === undefined) throw new LocalStackError('NO_SECRET', 'Secrets Manager gave the secret no ARN.');
    return ARN;
  } finally {
    client.destroy();
  }
}
