import { setTimeout as delay } from 'node:timers/promises';
import type { MessageView } from 'rocketmq-client-nodejs';
import { LocalStackError } from '../errors.ts';
import { ensureGroup } from '../rocketmq-topics.ts';
import type { Stack } from '../stack.ts';
import { type Charger, connectCharger } from './charger.ts';
import { startConsumer } from './consumer.ts';
import { CHARGER_STATUS } from './task.ts';

export interface Demo {
  /** One charger loses power; resolves when every group has read its will. */
  round(): Promise<void>;
  /** A charger loses power every few seconds, until the signal aborts. */
  goOn(): Promise<void>;
  /** Disconnects the chargers in good order: no will is published. */
  end(): Promise<void>;
}

export interface DemoOptions {
  stack: Stack;
  signal: AbortSignal;
  print: (line: string) => void;
}

/** Consumer groups: the business systems that each read every message. */
const GROUPS = ['billing', 'maintenance'];

const SITES: Readonly<Record<string, string>> = {
  'charger-01': 'Harbour car park',
  'charger-02': 'Town hall',
  'charger-03': 'Station north',
  'charger-04': 'Airport P2',
};

const ROUND_TIMEOUT_MS = 60_000;
const BETWEEN_LOSSES_MS = 4_000;

/** Connects the chargers and the business systems. */
export async function startDemo({ stack, signal, print }: DemoOptions): Promise<Demo> {
  const { endpoint, nameServer } = stack.file.rocketmq;
  const lostPowerAt = new Map<string, number>();
  const awaited = new Map<string, () => void>();

  const onMessage = (group: string, message: MessageView) => {
    const id = message.keys[0] ?? 'unknown device';
    const lostAt = lostPowerAt.get(id);
    const seconds =
      lostAt === undefined ? '      ' : `${((Date.now() - lostAt) / 1000).toFixed(2)} s`.padStart(6);
    print(
      `  ${seconds}  ${group.padEnd(11)} reads ${message.topic}, tag ${message.tag}, key ${id}: ${message.body}`,
    );
    awaited.get(`${group} ${id}`)?.();
  };
  await Promise.all(
    GROUPS.map(async (group) => {
      await ensureGroup({ nameServer }, { group });
      await startConsumer({
        endpoint,
        group,
        topic: CHARGER_STATUS,
        signal,
        onMessage: (message) => onMessage(group, message),
        onTrouble: (error) =>
          print(`          ${group} cannot read: ${(error as Error).message}; trying again`),
      });
    }),
  );
  const chargers = new Map<string, Charger>();
  const powerUp = async (id: string) => {
    chargers.set(id, await connectCharger(stack.file.iot, id, SITES[id] ?? 'depot'));
  };
  await Promise.all(Object.keys(SITES).map(powerUp));

  const losePower = (id: string) => {
    print(`${id} (${SITES[id]}) loses power`);
    lostPowerAt.set(id, Date.now());
    chargers.get(id)?.losePower();
  };
  const nextIds = createCycle(Object.keys(SITES));
  return {
    async round() {
      const id = nextIds();
      const readByAll = Promise.all(
        GROUPS.map((group) => new Promise<void>((resolve) => awaited.set(`${group} ${id}`, resolve))),
      );
      losePower(id);
      await Promise.race([readByAll, failAfter(ROUND_TIMEOUT_MS, id, signal)]);
      await powerUp(id);
    },
    async goOn() {
      for (;;) {
        await delay(BETWEEN_LOSSES_MS, undefined, { signal });
        const id = nextIds();
        losePower(id);
        await powerUp(id);
      }
    },
    async end() {
      await Promise.all([...chargers.values()].map((charger) => charger.disconnect()));
    },
  };
}

function createCycle(ids: readonly string[]): () => string {
  let next = 0;
  return () => {
    const id = ids[next % ids.length];
    next += 1;
    if (id === undefined) throw new Error('there are no chargers');
    return id;
  };
}

async function failAfter(timeoutMs: number, id: string, signal: AbortSignal): Promise<never> {
  await delay(timeoutMs, undefined, { signal, ref: false });
  throw new LocalStackError(
    'WILL_NOT_DELIVERED',
    `The will of ${id} was not read by ${GROUPS.join(' and ')} within ${timeoutMs / 1000} s. What went wrong stands in .local/aws/aws.log.`,
  );
}
