import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import mqtt from 'mqtt';
import { RocketmqProducer } from '../../lib/adapters/rocketmq/producer.ts';
import { systemClock } from '../../lib/adapters/system/clock.ts';
import type { RocketmqMessage } from '../../lib/domain/messages/message.ts';
import type { Task } from '../../lib/domain/tasks/task.ts';
import { createCertificateAuthority } from '../../local/certificates.ts';
import { LOCAL_DIR } from '../../local/layout.ts';
import { findMosquitto } from '../../local/mosquitto-packages.ts';
import { startMosquitto } from '../../local/parts/mosquitto.ts';
import { ensureTopic } from '../../local/rocketmq-topics.ts';
import { eventually } from '../helpers/eventually.ts';
import { startTlsRelay } from '../helpers/tls-relay.ts';
import { startOverflowDrain } from './drain-overflow.ts';
import { createRows, type Row } from './rows.ts';
import type { Stage } from './stage.ts';
import { startWorker } from './workers.ts';

/** What a stage's MQTT broker takes at most, for a message that is too large. */
export const MAX_PACKET_BYTES = 64 * 1_024;

const DEGRADED_MS = 30_000;
/** A changed cluster is seen after 16 s, a changed secret after 30 s; then the next try has to come. */
const HEALED_MS = 90_000;

/** One thing that is wrong with an end of a task. */
interface Trouble {
  what: string;
  taskId: string;
  code: RegExp;
  heal(): Promise<unknown>;
}

/** All at once on one shift of each kind: what the status says, that it heals by itself, and what is the message's own fault. */
export async function badInputTrial(stage: Stage): Promise<Row[]> {
  const table = createRows('bad input');
  const closing: (() => Promise<unknown>)[] = [];
  const workers = await Promise.all(
    (['pull', 'session'] as const).map((kind) => startWorker(stage.environment(), { kind, tickMs: 200 })),
  );
  closing.push(...workers.map((worker) => () => worker.kill()));
  const producer = new RocketmqProducer({
    endpoint: stage.rocketmq.rocketmq.endpoint,
    tls: false,
    multiMessage: 'auto',
    clock: systemClock,
  });
  closing.push(() => producer.close());

  async function send(rocketmqTopic: string, more: Partial<RocketmqMessage> = {}): Promise<void> {
    const message = {
      rocketmqTopic,
      body: Buffer.from('x'),
      keys: [],
      properties: new Map<string, string>(),
      ...more,
    };
    const [result] = await producer.send(rocketmqTopic, [message], { deadlineMs: Date.now() + 10_000 });
    if (result?.status !== 'stored') throw new Error(`not sent: ${JSON.stringify(result)}`);
  }

  /** A pull task with one message that waits for it. */
  async function pullTask(clusterId: string, topic = 'out/any'): Promise<{ taskId: string; from: string }> {
    const from = await stage.rocketmq.createTopic('NORMAL');
    await send(from);
    const taskId = await stage.addTask('pull', {
      source: { clusterId: 'business', topic: from, startFrom: 'earliest' },
      target: { clusterId, topic },
    });
    return { taskId, from };
  }

  async function sessionTask(clusterId: string, target: { clusterId?: string; topic?: string } = {}) {
    const run = randomUUID().slice(0, 8);
    const topic = target.topic ?? (await stage.rocketmq.createTopic('NORMAL'));
    const taskId = await stage.addTask('session', {
      source: { clusterId, topicFilters: [`in/${run}/#`] },
      target: { clusterId: target.clusterId ?? 'business', topic, keys: ['${prop.n}'] },
      options: { via: 'session' },
    });
    return { taskId, run, topic };
  }

  const both = async (
    what: string,
    clusterId: string,
    code: RegExp,
    heal: () => Promise<unknown>,
  ): Promise<Trouble[]> => {
    const [pull, session] = await Promise.all([pullTask(clusterId), sessionTask(clusterId)]);
    let healing: Promise<unknown> | undefined;
    const once = () => {
      healing ??= heal();
      return healing;
    };
    return [
      { what: `${what}, pull`, taskId: pull.taskId, code, heal: once },
      { what: `${what}, session`, taskId: session.taskId, code, heal: once },
    ];
  };

  try {
    const { url, username, password } = stage.mqtt;
    const right = { username, password };
    const authority = createCertificateAuthority();
    const { certificate: cert, privateKey: key } = authority.issue(['127.0.0.1']);
    const relay = await startTlsRelay(Number(new URL(url).port), { cert, key });
    closing.push(() => relay.close());
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, ...right, reconnectPeriod: 0 });
    client.on('error', () => undefined);
    closing.push(() => client.endAsync(true));

    await stage.putMqttCluster('wrong-password', url, { username, password: 'wrong' });
    await stage.putMqttCluster('no-host', 'mqtt://broker.invalid:1883', right);
    await stage.putMqttCluster('private-ca', `mqtts://127.0.0.1:${relay.port}`, right);
    await stage.putRocketmqCluster('no-rocketmq', 'rocketmq.invalid:8081');
    const unknownTopic = `unknown_${randomUUID()}`;
    const elsewhere = await sessionTask('factory', { clusterId: 'no-rocketmq' });
    const nowhere = await sessionTask('factory', { topic: unknownTopic });
    const troubles: Trouble[] = [
      ...(await both('wrong credentials', 'wrong-password', /^CREDENTIALS_REFUSED$/, () =>
        stage.changeSecret('wrong-password', right),
      )),
      // Where there is no name server at all, the system cannot know that the name does not exist.
      ...(await both('unknown host', 'no-host', /^(HOST_UNKNOWN|TARGET_UNREACHABLE)$/, () =>
        stage.putMqttCluster('no-host', url, right),
      )),
      ...(await both('certificate not trusted', 'private-ca', /^TLS_UNTRUSTED$/, () =>
        stage.putMqttCluster('private-ca', `mqtts://127.0.0.1:${relay.port}`, {
          ...right,
          ca: authority.certificate,
        }),
      )),
      {
        what: 'unknown host of RocketMQ, session',
        taskId: elsewhere.taskId,
        code: /^(HOST_UNKNOWN|TARGET_UNREACHABLE|TARGET_TIMEOUT|TARGET_UNAVAILABLE|DEADLINE_PASSED)$/,
        heal: () => stage.putRocketmqCluster('no-rocketmq', stage.rocketmq.rocketmq.endpoint),
      },
      {
        what: 'unknown fixed topic, session',
        taskId: nowhere.taskId,
        code: /^TOPIC_NOT_FOUND$/,
        heal: () => ensureTopic({ nameServer: stage.rocketmq.rocketmq.nameServer }, { topic: unknownTopic }),
      },
      ...(await accessTroubles()),
    ];
    await stage.statusIs(nowhere.taskId, 'degraded');
    const drain = startOverflowDrain(stage, nowhere.taskId);
    closing.push(() => drain.close());
    const publish = (run: string, n?: string) =>
      client.publishAsync(`in/${run}/a`, 'x', {
        qos: 1,
        ...(n === undefined ? {} : { properties: { userProperties: { n } } }),
      });
    await publish(nowhere.run, '1');
    await Promise.all(troubles.map((trouble) => showTrouble(trouble)));
    await Promise.all([messagesOwn(publish), foreignClient('session'), foreignClient('pull')]);
    const [kept] = await stage.rocketmq.readBack(unknownTopic, 1).catch(() => []);
    const seen = kept === undefined ? 'lost' : 'arrived';
    table.expect('message that waited for its topic', 'arrived', seen, seen === 'arrived');
  } finally {
    for (const close of closing.reverse()) await close();
  }
  return table.rows;

  async function showTrouble({ what, taskId, code, heal }: Trouble): Promise<void> {
    const task = await becomes(
      taskId,
      ({ status, reason }) => status === 'degraded' && code.test(reason?.code ?? ''),
    );
    const { code: seen = task?.status, hint } = task?.reason ?? {};
    const isGood = task?.status === 'degraded' && code.test(seen ?? '');
    table.expect(what, `degraded ${code.source.replace(/[\^$]/g, '')}`, `${task?.status} ${seen}`, isGood);
    if (task?.reason !== undefined && !/^TARGET_(UNREACHABLE|TIMEOUT|UNAVAILABLE)$/.test(seen ?? '')) {
      table.expect(`${what}: hint`, 'some', hint ?? 'none', hint !== undefined);
    }
    const beganMs = Date.now();
    await heal();
    const healed = await becomes(taskId, ({ status }) => status === 'running', HEALED_MS);
    const ms = Date.now() - beganMs;
    table.expect(
      `${what}: mended`,
      'running',
      `${healed?.status} after ${ms} ms`,
      healed?.status === 'running',
    );
  }

  async function becomes(taskId: string, passes: (task: Task) => boolean, timeoutMs = DEGRADED_MS) {
    const ask = () => stage.tasks.get(taskId);
    const options = { timeoutMs, everyMs: 100, what: 'a status' };
    return eventually(ask, (task) => task !== undefined && passes(task), options).catch(ask);
  }

  /** What only a broker with access rules can show. */
  async function accessTroubles(): Promise<Trouble[]> {
    const program = await findMosquitto();
    if ('missing' in program) {
      table.tell('NOT RUN: access rules', program.missing);
      return [];
    }
    const home = path.join(LOCAL_DIR, 'test', `mosquitto-${randomUUID()}`);
    const rules = path.join(LOCAL_DIR, 'test', `rules-${randomUUID()}`);
    const RESTRICTED = ['user factory', 'topic read in/#', 'topic write open/#', ''];
    await writeFile(rules, RESTRICTED.join('\n'), { mode: 0o644 });
    const broker = await startMosquitto({ program, home, configuration: [`acl_file ${rules}`] });
    closing.push(() => broker.process.stop());
    const { username, password } = broker;
    await stage.putMqttCluster('restricted', broker.url, { username, password });
    const fixed = await pullTask('restricted', 'closed/a');
    const rendered = await pullTask('restricted', '${tag:-open}/a');
    await send(rendered.from, { tag: 'closed' });
    await send(rendered.from, { tag: 'open' });
    await expectDeadLetters('rendered topic refused', rendered.taskId, ['ACCESS_DENIED']);
    return [
      {
        what: 'fixed topic refused, pull',
        taskId: fixed.taskId,
        code: /^ACCESS_DENIED$/,
        async heal() {
          await writeFile(rules, [...RESTRICTED, 'topic write closed/#', ''].join('\n'));
          process.kill(broker.process.pid, 'SIGHUP');
        },
      },
    ];
  }

  async function expectDeadLetters(what: string, taskId: string, codes: readonly string[]): Promise<void> {
    const wanted = codes.toSorted().join(', ');
    const ask = async () => {
      const { items } = await stage.deadLetters.list(taskId, { limit: 20 });
      return items
        .map(({ code }) => code)
        .toSorted()
        .join(', ');
    };
    const options = { timeoutMs: DEGRADED_MS, everyMs: 200, what };
    const seen = await eventually(ask, (all) => all.length >= wanted.length, options).catch(ask);
    table.expect(what, `dead letters ${wanted}`, seen, seen === wanted);
    const task = await stage.tasks.get(taskId);
    table.expect(`${what}: task`, 'running', task?.status ?? 'gone', task?.status === 'running');
  }

  /** What is the message's own fault is a dead letter, and the task goes on. */
  async function messagesOwn(publish: (run: string, n?: string) => Promise<unknown>): Promise<void> {
    const { taskId, from } = await pullTask('factory', 'out/${tag:-none}/${key:-none}/${prop.city:-none}');
    const strict = await pullTask('factory', 'out/${prop.city}');
    await send(from, { body: Buffer.alloc(MAX_PACKET_BYTES + 1) });
    await send(from, { keys: ['#'] });
    await send(from, { keys: ['fine'] });
    await expectDeadLetters('too large; # in the topic', taskId, ['PAYLOAD_TOO_LARGE', 'TOPIC_INVALID']);
    await expectDeadLetters('missing property, pull', strict.taskId, ['TEMPLATE_VALUE_MISSING']);
    const session = await sessionTask('factory');
    await stage.statusIs(session.taskId, 'running');
    await publish(session.run);
    await publish(session.run, '7');
    const [message] = await stage.rocketmq.readBack(session.topic, 1);
    table.expect(
      'missing property, session: the next one',
      '7',
      message?.keys[0] ?? 'none',
      message?.keys[0] === '7',
    );
    const [entry] = await stage.queues.receive(stage.handOverQueue.url, 1, 10);
    const code = (JSON.parse(entry?.body ?? '{}') as { code?: string }).code ?? 'none';
    table.expect('missing property, session', 'handed over', code, code !== 'none');
  }

  async function foreignClient(kind: 'session' | 'pull'): Promise<void> {
    const { taskId, from } =
      kind === 'session' ? { ...(await sessionTask('factory')), from: undefined } : await pullTask('factory');
    await stage.statusIs(taskId, 'running');
    const { url, username, password } = stage.mqtt;
    const foreign = mqtt.connect(url, {
      protocolVersion: 5,
      username,
      password,
      clientId: `mqferry-${taskId}-${kind === 'pull' ? 'p0' : '0'}`,
      clean: false,
      reconnectPeriod: 100,
    });
    foreign.on('error', () => undefined);
    // A pull task connects again when it has something to publish.
    let isOver = false;
    const sending = (async () => {
      while (from !== undefined && !isOver) await send(from);
    })();
    const task = await becomes(taskId, ({ status }) => status === 'failed');
    isOver = true;
    await sending;
    const seen = `${task?.status} ${task?.reason?.code ?? ''}`;
    table.expect(
      `foreign client with our id, ${kind}`,
      'failed CLIENT_ID_TAKEN',
      seen,
      seen === 'failed CLIENT_ID_TAKEN',
    );
    await foreign.endAsync(true);
  }
}
