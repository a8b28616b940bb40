import { randomUUID } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { PLANTED, plantedPayload } from '../helpers/planted.ts';
import { openTaskFixture, type TaskFixture } from '../helpers/task-fixture.ts';

let fixture: TaskFixture;
beforeAll(async () => {
  fixture = await openTaskFixture();
});
afterAll(() => fixture.close());

const pem = (what: string) =>
  `-----BEGIN ${what}-----\n${PLANTED.secret}${'A'.repeat(41)}\n-----END ${what}-----\n`;

/** Secrets that a broker refuses or nobody can read: what is said of them must not quote them. */
const SECRETS: readonly [string, string][] = [
  ['a wrong password', JSON.stringify({ username: 'nobody', password: PLANTED.secret })],
  ['a broken certificate', JSON.stringify({ cert: pem('CERTIFICATE'), key: pem('PRIVATE KEY') })],
  ['a broken CA', JSON.stringify({ ca: pem('CERTIFICATE') })],
  ['a text that is no JSON', PLANTED.secret],
  ['JSON with more than texts', JSON.stringify({ username: 'u', password: [PLANTED.secret] })],
  ['a password without a user', JSON.stringify({ password: PLANTED.secret })],
];

async function keep(text: string): Promise<string> {
  const secrets = new SecretsManagerClient(fixture.stack.config);
  const { ARN = '' } = await secrets.send(
    new CreateSecretCommand({ Name: `planted-${randomUUID()}`, SecretString: text }),
  );
  secrets.destroy();
  return ARN;
}

async function keepParameter(text: string): Promise<string> {
  const ssm = new SSMClient(fixture.stack.config);
  const Name = `/planted/${randomUUID()}`;
  await ssm.send(new PutParameterCommand({ Name, Value: text, Type: 'SecureString' }));
  ssm.destroy();
  return `arn:aws:ssm:${fixture.stack.config.region}:000000000000:parameter${Name}`;
}

async function register(cluster: Record<string, unknown>): Promise<string> {
  const clusterId = `planted-${randomUUID()}`;
  const answer = await fixture.api('PUT', `/clusters/${clusterId}`, {
    name: 'Planted',
    region: 'eu-west-1',
    ...cluster,
  });
  expect(answer).toMatchObject({ status: 201 });
  return clusterId;
}

/** A task that reads from this cluster, once its status says why it does not. */
async function heldTask(clusterId: string, topic: string): Promise<{ code: string; taskId: string }> {
  const definition = fixture.definition([`planted/${clusterId}/status`], topic, {
    source: { clusterId, topicFilters: [`planted/${clusterId}/status`] },
  });
  const { status, body } = await fixture.api('POST', '/tasks', definition);
  expect(status).toBe(201);
  const task = await eventually(
    async () => (await fixture.api('GET', `/tasks/${body.taskId}`)).body,
    ({ status: is, reason }) => is === 'degraded' && reason !== undefined,
    { timeoutMs: 180_000, what: `the task of ${clusterId} says what it lacks` },
  );
  return { code: task.reason.code, taskId: body.taskId };
}

describe('secrets that do not fit', () => {
  it('are told by a code, and never quoted', async () => {
    const topic = await fixture.stack.createTopic('NORMAL');
    const told = await Promise.all(
      SECRETS.map(async ([what, text]) => {
        const secretRef = await keep(text);
        const clusterId = await register({ kind: 'mqtt', url: fixture.stack.mqtt.url, secretRef });
        return [what, (await heldTask(clusterId, topic)).code];
      }),
    );
    expect(Object.fromEntries(told)).toEqual({
      'a wrong password': 'CREDENTIALS_REFUSED',
      'a broken certificate': 'SECRET_INVALID',
      'a broken CA': 'SECRET_INVALID',
      'a text that is no JSON': 'SECRET_INVALID',
      'JSON with more than texts': 'SECRET_INVALID',
      'a password without a user': 'SECRET_INVALID',
    });
  }, 240_000);

  it('are refused where a reference belongs, and not repeated', async () => {
    for (const secretRef of [PLANTED.secret, `arn:aws:iam::000000000000:user/${PLANTED.secret}`]) {
      const cluster = {
        kind: 'mqtt',
        name: 'x',
        region: 'eu-west-1',
        url: 'mqtts://mqtt.example',
        secretRef,
      };
      const answer = await fixture.api('PUT', '/clusters/planted', cluster);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'secretRef' }] } });
    }
    const url = `mqtts://user:${PLANTED.secret}@mqtt.example`;
    const cluster = { kind: 'mqtt', name: 'x', region: 'eu-west-1', url, password: PLANTED.secret };
    expect(await fixture.api('PUT', '/clusters/planted', cluster)).toMatchObject({ status: 400 });
  });
});

describe('secrets that are used', () => {
  it('carry messages, and make dead letters of those that cannot be mapped', async () => {
    const { stack } = fixture;
    const topic = await stack.createTopic('NORMAL');
    const secretRef = await keepParameter(
      JSON.stringify({ accessKey: PLANTED.secret, secretKey: `${PLANTED.secret}/` }),
    );
    const { endpoint, nameServer } = stack.rocketmq;
    const clusterId = await register({ kind: 'rocketmq', endpoint, nameServer, secretRef });
    expect(
      await fixture.api('PUT', `/clusters/${clusterId}/topics/${topic}`, { type: 'NORMAL' }),
    ).toMatchObject({
      status: 201,
    });
    const station = `k${randomUUID().slice(0, 8)}`;
    const taskId = await fixture.runningTask([`stations/${station}/+`], topic, {
      target: { clusterId, topic, keys: ['${payload.serial}'] },
    });
    const device = await fixture.device();
    const read = stack.consume(topic, `g_${station}`, 1);
    await device.publishAsync(`stations/${station}/bad`, plantedPayload('no JSON'), { qos: 1 });
    const good = JSON.stringify({ serial: 7, text: PLANTED.payload });
    await device.publishAsync(`stations/${station}/good`, good, { qos: 1 });
    expect(await read).toMatchObject([{ keys: ['7'] }]);
    await eventually(
      async () => (await fixture.api('GET', `/tasks/${taskId}/dead-letters`)).body.items,
      (items) => items.length === 1,
      { timeoutMs: 60_000, what: 'the message that is no JSON is a dead letter' },
    );
  }, 180_000);
});
