import { describe, expect, it } from '@jest/globals';
import {
  DIMENSIONS,
  MESSAGE_METRICS,
  METRIC_NAMESPACE,
  METRICS,
  SERVICE_METRICS,
} from '../../lib/domain/figures/metrics.ts';
import { compiledStack, VARIANTS, type Variant } from './compiled-stack.ts';
import { H8 } from './intrinsics.ts';

/** Metrics of AWS itself that alarms and dashboard look at: by namespace, the dimension and the names. */
const OF_AWS: Readonly<Record<string, { dimension: string; names: readonly string[] }>> = {
  'AWS/Lambda': { dimension: 'FunctionName', names: ['Errors', 'Throttles', 'Duration'] },
  'AWS/SQS': {
    dimension: 'QueueName',
    names: ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
  },
  'AWS/ApiGateway': { dimension: 'ApiId', names: ['5xx'] },
};
/** What operators have to know of: each has an alarm. */
const WATCHED = [
  'failed',
  'syncLatencyMs',
  'backlogMessages',
  'oldestAgeSeconds',
  'consumed',
  'tasksFailed',
  'tasksDegraded',
  'unconverged',
  'deadLetterDepth',
  'buffersExpiring',
];

interface Alarm {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: string }[];
  Statistic?: string;
  ExtendedStatistic?: string;
  Period: number;
  EvaluationPeriods: number;
  DatapointsToAlarm: number;
  TreatMissingData: string;
  Threshold: number | string;
  AlarmName: string;
  AlarmActions: string[];
  OKActions: string[];
}

interface Widget {
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  properties: { title: string; region: string; metrics: unknown[][] };
}

describe.each(Object.keys(VARIANTS) as Variant[])('alarms and dashboard of the template, %s', (variant) => {
  const stack = compiledStack(variant);
  const { stage } = VARIANTS[variant];
  const alarms = stack.ofType('AWS::CloudWatch::Alarm') as unknown as [string, Alarm][];
  const own = alarms.filter(([, { Namespace }]) => Namespace === METRIC_NAMESPACE);
  const [[, dashboard] = []] = stack.ofType('AWS::CloudWatch::Dashboard');
  const { widgets } = JSON.parse(String(dashboard?.DashboardBody)) as { widgets: Widget[] };

  it('watches what operators have to know, on metrics of the service that the code tells', () => {
    expect([...new Set(own.map(([, { MetricName }]) => MetricName))].sort()).toEqual(
      [...WATCHED, 'tasksRunning'].sort(),
    );
    for (const [id, { MetricName, Dimensions }] of own) {
      expect([id, Object.keys(METRICS).includes(MetricName)]).toEqual([id, true]);
      expect(Dimensions.map(({ Name }) => Name)).toEqual([...DIMENSIONS.service]);
      expect(Dimensions.map(({ Value }) => Value)).toEqual(['mqferry', stage]);
    }
  });

  it('watches errors of every function that works by itself, and what nobody could store', () => {
    const functions = stack.ofType('AWS::Lambda::Function').map(([id]) => id);
    const ofFunctions = alarms.filter(([, { Namespace }]) => Namespace === 'AWS/Lambda');
    const watched = ofFunctions.map(([, { Dimensions }]) => Dimensions[0]?.Value.slice(1, -1));
    const behindTheApi = functions.filter((id) => /^(Api|Probe)/.test(id));
    // It works once, when the stack goes, and a failure of it fails that.
    expect([...watched, ...behindTheApi, 'RuntimeResourcesLambdaFunction'].sort()).toEqual(functions.sort());
    for (const [id, { Namespace, MetricName, Dimensions }] of alarms) {
      if (Namespace === METRIC_NAMESPACE) continue;
      const known = OF_AWS[Namespace];
      expect([id, known?.names.includes(MetricName)]).toEqual([id, true]);
      expect(Dimensions).toEqual([{ Name: known?.dimension, Value: expect.stringMatching(/^<.+>$/) }]);
    }
    const parked = alarms.flatMap(([, { Namespace, Dimensions }]) =>
      Namespace === 'AWS/SQS' ? Dimensions.map(({ Value }) => Value) : [],
    );
    expect(parked).toEqual(['<DeadLetterParkingQueue.QueueName>', '<DeadLetterFifoParkingQueue.QueueName>']);
  });

  it('asks for M of N, and treats what is missing on purpose', () => {
    for (const [id, alarm] of alarms) {
      const { Period, EvaluationPeriods: n, DatapointsToAlarm: m, TreatMissingData } = alarm;
      expect([id, m >= 1 && m <= n, Number(n) * Period <= 86_400]).toEqual([id, true, true]);
      expect(['breaching', 'notBreaching', 'ignore']).toContain(TreatMissingData);
      expect([id, (alarm.Statistic === undefined) !== (alarm.ExtendedStatistic === undefined)]).toEqual([
        id,
        true,
      ]);
    }
    const breaching = alarms.filter(([, { TreatMissingData }]) => TreatMissingData === 'breaching');
    expect(breaching.map(([id]) => id)).toEqual(['ConvergeSilentAlarm']);
  });

  it('is made of single metrics: math and composites neither search nor deploy everywhere', () => {
    for (const [id, alarm] of alarms) expect([id, 'Metrics' in alarm]).toEqual([id, false]);
    expect(stack.ofType('AWS::CloudWatch::CompositeAlarm')).toEqual([]);
  });

  it('tells the topic that the stage names, and nobody else', () => {
    const topic = variant === 'full' ? [VARIANTS.full.params.alarmTopicArn] : [];
    for (const [id, { AlarmActions, OKActions }] of alarms) {
      expect([id, AlarmActions, OKActions]).toEqual([id, topic, topic]);
    }
    const names = alarms.map(([, { AlarmName }]) => AlarmName);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(new RegExp(`^mqferry-${stage}-`));
  });

  it('takes thresholds from the stage', () => {
    const byId = new Map(alarms);
    const thresholds = [
      'LatencyAlarm',
      'BacklogAlarm',
      'BacklogAgeAlarm',
      'FailuresAlarm',
      'DeadLettersAlarm',
    ].map((id) => Number(byId.get(id)?.Threshold));
    expect(thresholds).toEqual(
      variant === 'full' ? [2_000, 10_000, 600, 10, 5] : [10_000, 10_000, 600, 10, 0],
    );
    expect(byId.get('NoTrafficAlarm')?.EvaluationPeriods).toBe(variant === 'full' ? 6 : 12);
  });

  it('draws the dashboard of metrics that the code tells, and of AWS', () => {
    expect(dashboard?.DashboardName).toBe(`mqferry-${stage}`);
    const drawn = new Set<string>();
    for (const { properties } of widgets) {
      expect(properties.region).toBe('eu-west-1');
      for (const metric of properties.metrics) {
        const [first] = metric;
        if (typeof first === 'string') {
          const [namespace, name, ...dimensions] = metric.filter((part) => typeof part === 'string');
          expect([namespace, Object.keys(METRICS).includes(String(name))]).toEqual([METRIC_NAMESPACE, true]);
          expect(dimensions).toEqual(['service', 'mqferry', 'stage', stage]);
          drawn.add(String(name));
        } else {
          const { namespace, dimensions, name } = searchOf(first as { expression: string });
          if (namespace === METRIC_NAMESPACE) {
            expect(Object.keys(MESSAGE_METRICS)).toContain(name);
            expect(Object.values(DIMENSIONS).map((set) => set.join())).toContain(dimensions.join());
            expect((first as { expression: string }).expression).toContain(
              `service="mqferry" stage="${stage}"`,
            );
          } else {
            expect(OF_AWS[namespace]?.names).toContain(name);
            expect(dimensions).toEqual([OF_AWS[namespace]?.dimension]);
          }
          drawn.add(name);
        }
      }
    }
    // Whatever is told can be seen.
    expect(
      Object.keys({ ...MESSAGE_METRICS, ...SERVICE_METRICS }).filter((name) => !drawn.has(name)),
    ).toEqual([]);
  });

  it('searches for queues and functions of this stack, all of them', () => {
    const searches = widgets
      .flatMap(({ properties }) => properties.metrics.flat())
      .filter((part) => typeof part === 'object' && part !== null && 'expression' in part)
      .map((part) => (part as { expression: string }).expression);
    for (const search of searches) expect(search.length).toBeLessThanOrEqual(1_024);
    const ofQueues = searches.filter((search) => search.includes('AWS/SQS'));
    expect(ofQueues).toHaveLength(2);
    for (const search of ofQueues) expect(search).toContain(`QueueName=${H8}'`);
    const names = stack.ofType('AWS::Lambda::Function').map(([, { FunctionName }]) => String(FunctionName));
    const ofFunctions = searches.filter((search) => search.includes('AWS/Lambda'));
    expect(ofFunctions.map((search) => searchOf({ expression: search }).name).sort()).toEqual([
      'Duration',
      'Errors',
      'Throttles',
    ]);
    for (const search of ofFunctions) {
      const named = [...search.matchAll(/"(mqferry-[^"]+)"/g)].map(([, name]) => name);
      expect(named.sort()).toEqual(names.toSorted());
    }
  });

  it('lays the widgets beside each other within the 24 columns', () => {
    const cells = widgets.flatMap(({ x, y, width }) =>
      Array.from({ length: width }, (_, at) => `${x + at} ${y}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { x, width, type } of widgets) expect([type, x + width <= 24]).toEqual(['metric', true]);
    const ids = widgets
      .flatMap(({ properties }) => properties.metrics.flat())
      .flatMap((part) =>
        typeof part === 'object' && part !== null && 'id' in part ? [String(part.id)] : [],
      );
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9_]*$/);
  });
});

function searchOf({ expression }: { expression: string }): {
  namespace: string;
  dimensions: string[];
  name: string;
} {
  const found = /^SEARCH\('\{([^}]+)\} MetricName="([^"]+)" .+', '(Sum|Maximum|p\d\d)', \d+\)$/.exec(
    expression,
  );
  if (found === null) throw new Error(`no search: ${expression}`);
  const [namespace = '', ...dimensions] = String(found[1]).split(',');
  return { namespace, dimensions, name: String(found[2]) };
}
