import type { Compared, FaultRow } from '../../faults/row.ts';
import type { NumberedMessage } from '../../helpers/numbered-messages.ts';
import { createArrivals } from '../../trials/streams.ts';

/** A pair whose messages are all on two lines, the even and the odd ones. */
export function comparedPair(count: number) {
  const sent: NumberedMessage[] = Array.from({ length: count }, (_, number) => ({
    number,
    line: `line${number % 2}`,
    payload: Buffer.from(`payload ${number}`),
  }));
  const none = async () => undefined;
  const returns = { control: 0, target: 0 };
  const control = createArrivals('at the control reader', none);
  const target = createArrivals('at the target', none);
  const pair: Compared = {
    source: { sent, start: () => undefined, pause: none, close: none },
    control: { ...control.arrivals, reconnects: () => returns.control },
    arrivals: { ...target.arrivals, reconnects: () => returns.target },
  };
  const to =
    (end: typeof target) =>
    (number: number, options: { atMs?: number; payload?: Buffer } = {}) => {
      const message = sent[number];
      if (message === undefined) throw new Error('not sent');
      end.note(number, message.line, options.payload ?? message.payload, options.atMs ?? number);
    };
  return { pair, returns, toControl: to(control), arrives: to(target) };
}

/** A row of which nothing is to be said. */
export function faultRow(changes: Partial<FaultRow> = {}): FaultRow {
  return {
    fault: 'mqtt-killed',
    pair: 'mqtt → rocketmq',
    perSecond: 100,
    sent: 2_246,
    delivered: 2_246,
    lost: 0,
    lostByBroker: 0,
    changed: 0,
    duplicates: 3,
    outOfOrder: 0,
    isOrdered: true,
    degradedMs: 1_200,
    recoveredMs: 800,
    recoveryBarMs: 5_000,
    allThereMs: 2_500,
    said: 'running; 1.3 s TARGET_UNREACHABLE; 21.0 s running',
    deadLetters: 0,
    givenUp: 0,
    missed: [],
    ...changes,
  };
}
