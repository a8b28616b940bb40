import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addCounted,
  type Counted,
  countLatency,
  isNothing,
  messageDocuments,
  newCounted,
  type TaskCounted,
} from '../../../../lib/domain/figures/counted.ts';
import { MESSAGE_METRICS, METRICS } from '../../../../lib/domain/figures/metrics.ts';
import { emfFaults } from '../../../helpers/emf-schema.ts';

const IDS = {
  service: 'mqferry',
  stage: 'dev',
  direction: 'mqtt-to-rocketmq',
  nowMs: 1_767_225_600_000,
} as const;
const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V40';

function counted(changes: Partial<Counted> = {}): Counted {
  return { ...newCounted(), ...changes };
}

describe('messageDocuments', () => {
  it('tells one task per service and direction, with its codes as properties', () => {
    const counts = counted({ consumed: 3, replicated: 2, bytes: 20, failed: { KEY_MISSING: 1 } });
    countLatency(counts, IDS.nowMs - 100, IDS.nowMs);
    const [document, ...more] = messageDocuments([{ taskId: TASK, perTask: false, counts }], IDS);
    expect(more).toEqual([]);
    expect(emfFaults(document)).toEqual([]);
    expect(document).toMatchObject({
      _aws: {
        Timestamp: IDS.nowMs,
        CloudWatchMetrics: [
          {
            Namespace: 'mqferry',
            Dimensions: [
              ['service', 'stage'],
              ['service', 'stage', 'direction'],
            ],
          },
        ],
      },
      service: 'mqferry',
      stage: 'dev',
      direction: 'mqtt-to-rocketmq',
      taskId: TASK,
      consumed: 3,
      replicated: 2,
      failed: 1,
      failedBy: { KEY_MISSING: 1 },
      syncLatencyMs: [100],
    });
    expect(document).not.toHaveProperty('expired');
  });

  it('adds metrics per task only for tasks that want them', () => {
    const tasks: TaskCounted[] = [
      { taskId: 'a', perTask: true, counts: counted({ consumed: 1 }) },
      { taskId: 'b', perTask: false, counts: counted({ consumed: 2, filtered: 1 }) },
    ];
    const documents = messageDocuments(tasks, IDS);
    expect(documents.map(({ consumed, taskId }) => ({ consumed, taskId }))).toEqual([
      { consumed: 3, taskId: undefined },
      { consumed: 1, taskId: 'a' },
    ]);
    expect(documents[1]?._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([['service', 'stage', 'taskId']]);
    const [alone] = messageDocuments(tasks.slice(0, 1), IDS);
    expect(alone?._aws.CloudWatchMetrics[0]?.Dimensions).toHaveLength(3);
  });

  it('is valid whatever was counted: at most 100 metrics and values, and nothing but what it was given', () => {
    const count = fc.nat(1_000_000);
    const codes = fc.dictionary(fc.constantFrom('A', 'B_C', 'UNKNOWN'), fc.integer({ min: 1, max: 9 }));
    const counts = fc
      .record({
        consumed: count,
        replicated: count,
        loopSkipped: count,
        expired: count,
        retried: count,
        bytes: count,
        failed: codes,
        returned: fc.option(codes, { nil: undefined }),
        filtered: fc.option(count, { nil: undefined }),
        oldestAgeMs: fc.option(fc.integer({ min: -1_000, max: 1_209_600_000 }), { nil: undefined }),
        times: fc.array(fc.double({ min: -1_000, max: 1e9 }), { maxLength: 500 }),
      })
      .map(({ times, ...rest }) => {
        const made = { ...newCounted(), ...rest } as Counted;
        for (const ms of times) countLatency(made, 0, ms);
        return made;
      });
    const tasks = fc.array(
      fc.record({ taskId: fc.stringMatching(/^[0-9A-Z]{26}$/), perTask: fc.boolean(), counts }),
      { minLength: 1, maxLength: 5 },
    );
    const known = new Set([
      ...Object.keys(METRICS),
      ...['_aws', 'service', 'stage', 'direction', 'taskId', 'tasks', 'failedBy', 'returnedBy'],
    ]);
    fc.assert(
      fc.property(tasks, (some) => {
        const documents = messageDocuments(some, IDS);
        for (const document of documents) {
          expect(emfFaults(document)).toEqual([]);
          expect(Object.keys(document).filter((name) => !known.has(name))).toEqual([]);
          const names = document._aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name) ?? [];
          expect(names.filter((name) => !(name in MESSAGE_METRICS))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('addCounted', () => {
  it('adds everything, and knows nothing from something', () => {
    const total = newCounted();
    expect(isNothing(total)).toBe(true);
    addCounted(
      total,
      counted({ consumed: 1, failed: { A: 1 }, filtered: 2, returned: { B: 1 }, oldestAgeMs: 5 }),
    );
    addCounted(total, counted({ consumed: 2, failed: { A: 2 }, lapsed: 1, oldestAgeMs: 3 }));
    expect(total).toMatchObject({
      consumed: 3,
      failed: { A: 3 },
      filtered: 2,
      lapsed: 1,
      returned: { B: 1 },
      oldestAgeMs: 5,
    });
    expect(isNothing(total)).toBe(false);
  });
});

describe('emfFaults', () => {
  it('finds what CloudWatch would not take', () => {
    const [good] = messageDocuments([{ taskId: 'a', perTask: false, counts: newCounted() }], IDS);
    expect(emfFaults(good)).toEqual([]);
    expect(emfFaults({ ...good, stage: 5 })).not.toEqual([]);
    expect(emfFaults({ ...good, consumed: 'many' })).not.toEqual([]);
    expect(emfFaults({ ...good, consumed: Array.from({ length: 101 }, () => 1) })).not.toEqual([]);
    expect(emfFaults({ ...good, _aws: {} })).not.toEqual([]);
  });
});
