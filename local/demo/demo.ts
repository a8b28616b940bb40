import { setTimeout as delay } from 'node:timers/promises';
import type { MessageView } from 'rocketmq-client-nodejs';
import { LocalStackError } from '../errors.ts';
import { ensureGroup } from '../rocketmq-topics.ts';
import type { Stack } from '../stack.ts';
import { openBackOffice } from './back-office.ts';
import { type Charger, connectCharger } from './charger.ts';
import { startConsumer } from './consumer.ts';
import { createJourneys } from './journeys.ts';
import { connectMachines } from './machines.ts';
import { TOPICS } from './tasks.ts';

export interface Demo {
  /** A will, a command and an event, side by side; resolves when everybody concerned has seen them. */
  round(): Promise<void>;
  /** One of them every few seconds, until the signal aborts. */
  goOn(): Promise<void>;
  /** Disconnects everybody in good order: no will is published. */
  end(): Promise<void>;
}

export interface DemoOptions {
  stack: Stack;
  signal: AbortSignal;
  print: (line: string) => void;
}

/** Consumer groups: the business systems that each read every message of a topic. */
const READERS = { [TOPICS.status]: ['billing', 'maintenance'], [TOPICS.events]: ['quality'] };

const SITES: Readonly<Record<string, string>> = {
  'charger-01': 'Harbour car park',
  'charger-02': 'Town hall',
  'charger-03': 'Station north',
  'charger-04': 'Airport P2',
};
const MACHINES = ['press-1', 'robot-7'];

const ROUND_TIMEOUT_MS = 60_000;
const PAUSE_MS = 4_000;

/** Connects chargers, machines and business systems. */
export async function startDemo({ stack, signal, print }: DemoOptions): Promise<Demo> {
  const { iot, mqtt, rocketmq } = stack.file;
  const journeys = createJourneys(print);

  const read = async (topic: string, group: string, onMessage: (message: MessageView) => void) => {
    await ensureGroup({ nameServer: rocketmq.nameServer }, { group });
    await startConsumer({
      endpoint: rocketmq.endpoint,
      group,
      topic,
      signal,
      onMessage,
      onTrouble: (error) =>
        print(`          ${group} cannot read: ${(error as Error).message}; trying again`),
    });
  };
  const consumers = Object.entries(READERS).flatMap(([topic, groups]) =>
    groups.map((group) =>
      read(topic, group, (message) => {
        const { tag, body, keys } = message;
        const [id = 'unknown device'] = keys;
        const what = tag ? `tag ${tag}, key ${id}` : `key ${id}`;
        journeys.seen(`${topic} ${id}`, group, `reads ${topic}, ${what}: ${body}`);
      }),
    ),
  );
  const chargers = new Map<string, Charger>();
  const powerUp = async (id: string) => {
    const onCommand = (topic: string, payload: string) =>
      journeys.seen(`${TOPICS.commands} ${id}`, id, `receives ${topic}: ${payload}`);
    chargers.set(id, await connectCharger(iot, { id, site: SITES[id] ?? 'depot', onCommand }));
  };
  const [backOffice, machines] = await Promise.all([
    openBackOffice(rocketmq.endpoint, TOPICS.commands),
    connectMachines(mqtt),
    ...consumers,
    ...Object.keys(SITES).map(powerUp),
  ]);

  const nextCharger = createCycle(Object.keys(SITES));
  const nextMachine = createCycle(MACHINES);
  const losePower = async () => {
    const id = nextCharger();
    print(`${id} (${SITES[id]}) loses power`);
    const seen = journeys.begin(`${TOPICS.status} ${id}`, READERS[TOPICS.status]);
    chargers.get(id)?.losePower();
    try {
      await within(seen, `The will of ${id}`, signal);
    } finally {
      if (!signal.aborted) await powerUp(id);
    }
  };
  const command = async () => {
    const id = nextCharger();
    print(`the back office tells ${id} to reset`);
    const seen = journeys.begin(`${TOPICS.commands} ${id}`, [id]);
    await backOffice.command(id, { command: 'reset' });
    await within(seen, `The command to ${id}`, signal);
  };
  const report = async () => {
    const id = nextMachine();
    print(`${id} in the factory reports that it is too hot`);
    const seen = journeys.begin(`${TOPICS.events} ${id}`, READERS[TOPICS.events]);
    await machines.report(id, { machine: id, event: 'TOO_HOT' });
    await within(seen, `The event of ${id}`, signal);
  };

  return {
    async round() {
      await Promise.all([losePower(), command(), report()]);
    },
    async goOn() {
      const nextStep = createCycle([losePower, command, report]);
      for (;;) {
        await delay(PAUSE_MS, undefined, { signal });
        await nextStep()().catch((error: unknown) => {
          if (signal.aborted || !(error instanceof LocalStackError)) throw error;
          print(error.message);
        });
      }
    },
    async end() {
      await Promise.all([...chargers.values(), machines].map((client) => client.disconnect()));
    },
  };
}

function createCycle<T>(items: readonly T[]): () => T {
  let next = 0;
  return () => {
    const item = items[next % items.length];
    next += 1;
    if (item === undefined) throw new Error('there is nothing to take turns');
    return item;
  };
}

async function within(seen: Promise<void>, what: string, signal: AbortSignal): Promise<void> {
  const patience = new AbortController();
  const late = delay(ROUND_TIMEOUT_MS, undefined, {
    signal: AbortSignal.any([signal, patience.signal]),
    ref: false,
  }).then(() => {
    throw new LocalStackError(
      'NOT_DELIVERED',
      `${what} was not delivered within ${ROUND_TIMEOUT_MS / 1000} s. What went wrong stands in .local/aws/aws.log.`,
    );
  });
  try {
    await Promise.race([seen, late]);
  } finally {
    patience.abort();
    late.catch(() => undefined);
  }
}
