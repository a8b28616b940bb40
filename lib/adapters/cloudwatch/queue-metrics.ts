import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { minuteOf, startOfMinuteMs } from '../../domain/figures/figures.ts';
import type { QueueMetrics } from '../../ports/queue-metrics.ts';

const PERIOD_SECONDS = 60;
const TIMEOUT_MS = 3_000;

/** SQS's own metrics, in one request of two metrics ($0.00002). */
export function createCloudWatchQueueMetrics({
  cloudWatch,
}: {
  cloudWatch: Pick<CloudWatchClient, 'send'>;
}): QueueMetrics {
  return {
    async read(queueName, { fromMinute, toMinute }) {
      const of = (id: string, metric: string, statistic: string) => ({
        Id: id,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/SQS',
            MetricName: metric,
            Dimensions: [{ Name: 'QueueName', Value: queueName }],
          },
          Period: PERIOD_SECONDS,
          Stat: statistic,
        },
      });
      const answer = await cloudWatch.send(
        new GetMetricDataCommand({
          MetricDataQueries: [
            of('sent', 'NumberOfMessagesSent', 'Sum'),
            of('age', 'ApproximateAgeOfOldestMessage', 'Maximum'),
          ],
          StartTime: new Date(startOfMinuteMs(fromMinute)),
          EndTime: new Date(startOfMinuteMs(toMinute + 1)),
          ScanBy: 'TimestampAscending',
        }),
        { abortSignal: AbortSignal.timeout(TIMEOUT_MS) },
      );
      const [sent = [], age = []] = ['sent', 'age'].map((id) => {
        const { Timestamps = [], Values = [] } = answer.MetricDataResults?.find(({ Id }) => Id === id) ?? {};
        return Timestamps.map((at, index) => [minuteOf(at.getTime()), Values[index] ?? 0] as const);
      });
      const [, oldestAgeSeconds] = age.at(-1) ?? [];
      return { sent: new Map(sent), ...(oldestAgeSeconds === undefined ? {} : { oldestAgeSeconds }) };
    },
  };
}
