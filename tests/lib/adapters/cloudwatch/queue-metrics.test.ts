import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createCloudWatchQueueMetrics } from '../../../../lib/adapters/cloudwatch/queue-metrics.ts';
import { minuteOf, startOfMinuteMs } from '../../../../lib/domain/figures/figures.ts';

const FIRST = minuteOf(Date.UTC(2026, 10, 23, 12));
const range = { fromMinute: FIRST, toMinute: FIRST + 2 };
const at = (minute: number) => new Date(startOfMinuteMs(minute));

const cloudWatch = mockClient(CloudWatchClient);
const metrics = createCloudWatchQueueMetrics({ cloudWatch: new CloudWatchClient({ region: 'eu-west-1' }) });
beforeEach(() => {
  cloudWatch.reset();
});

describe('createCloudWatchQueueMetrics', () => {
  it('reads what was sent by the minute, and the last age', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({
      MetricDataResults: [
        { Id: 'age', Timestamps: [at(FIRST), at(FIRST + 1)], Values: [3, 17] },
        { Id: 'sent', Timestamps: [at(FIRST), at(FIRST + 2)], Values: [120, 60] },
      ],
    });
    expect(await metrics.read('queue', range)).toEqual({
      sent: new Map([
        [FIRST, 120],
        [FIRST + 2, 60],
      ]),
      oldestAgeSeconds: 17,
    });
    const [request] = cloudWatch.commandCalls(GetMetricDataCommand);
    expect(request?.args[0].input).toMatchObject({
      StartTime: at(FIRST),
      EndTime: at(FIRST + 3),
      MetricDataQueries: [
        {
          Id: 'sent',
          MetricStat: {
            Metric: {
              Namespace: 'AWS/SQS',
              MetricName: 'NumberOfMessagesSent',
              Dimensions: [{ Name: 'QueueName', Value: 'queue' }],
            },
            Period: 60,
            Stat: 'Sum',
          },
        },
        {
          Id: 'age',
          MetricStat: { Metric: { MetricName: 'ApproximateAgeOfOldestMessage' }, Stat: 'Maximum' },
        },
      ],
    });
  });

  it('says nothing of a queue without metrics, and fails with CloudWatch', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({});
    expect(await metrics.read('queue', range)).toEqual({ sent: new Map() });
    cloudWatch.on(GetMetricDataCommand).rejects(new Error('away'));
    await expect(metrics.read('queue', range)).rejects.toThrow('away');
  });
});
