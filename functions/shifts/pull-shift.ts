import { S3Client } from '@aws-sdk/client-s3';
import { createDataEndpoints } from '../../lib/adapters/aws-iot/data-endpoint.ts';
import { createDataPublishers } from '../../lib/adapters/aws-iot/data-publisher.ts';
import { createDynamoDeadLetterStore } from '../../lib/adapters/dynamodb/dead-letter-store.ts';
import { createDynamoFigureWrites } from '../../lib/adapters/dynamodb/figure-writes.ts';
import { createDynamoRetryTallies } from '../../lib/adapters/dynamodb/retry-tallies.ts';
import { openTable } from '../../lib/adapters/dynamodb/table.ts';
import { createMqttPublishers } from '../../lib/adapters/mqtt/publishers.ts';
import { createMessageConsumers } from '../../lib/adapters/rocketmq/consumers.ts';
import { createRocketmqAdmins } from '../../lib/adapters/rocketmq-admin/admins.ts';
import { createS3LargeBodies } from '../../lib/adapters/s3/large-bodies.ts';
import { createSecretReader } from '../../lib/adapters/secrets/secret-reader.ts';
import type { PullShiftConfig } from '../../lib/config/shift.ts';
import { createFigureMeters } from '../../lib/replication/figures/figure-meter.ts';
import { createPullLane } from '../../lib/replication/pull-path/pull-lane.ts';
import { createShift, type RunShift } from '../../lib/replication/shifts/shift.ts';
import { emulatorOf, guardShift, heldBytesOfLane, metered, type ShiftTools, tablePorts } from './shared.ts';

const MAX_HELD_BYTES_OF_A_LANE = 32 * 1024 * 1024;

/** Shifts of the pull path, as function and process have them. */
export function createPullShift(config: PullShiftConfig, tools: ShiftTools): RunShift {
  guardShift(config);
  const { clock, logger } = tools;
  const table = openTable(config.TABLE_NAME);
  const secrets = createSecretReader({ clock });
  const awsIot = createDataPublishers({ endpoints: createDataEndpoints(), clock, ...emulatorOf(config) });
  const { meter, during } = metered(config, tools, 'rocketmq-to-mqtt');
  const openLane = createPullLane({
    meter,
    consumers: createMessageConsumers({ secrets, clock }),
    admins: createRocketmqAdmins({ secrets, clock }),
    publishers: createMqttPublishers({ secrets, clock, awsIot }),
    deadLetters: createDynamoDeadLetterStore({
      table,
      largeBodies: createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET }),
    }),
    retryTallies: createDynamoRetryTallies(table),
    maxHeldBytes: heldBytesOfLane(config, MAX_HELD_BYTES_OF_A_LANE),
    figures: createFigureMeters({ store: createDynamoFigureWrites(table), clock, logger }),
    clock,
    logger,
  });
  return during(createShift({ ...tablePorts(table, config, tools), kind: 'pull', openLane }));
}
