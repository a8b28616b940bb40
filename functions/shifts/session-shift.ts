import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createDataEndpoints } from '../../lib/adapters/aws-iot/data-endpoint.ts';
import { createAwsIotWebsocket } from '../../lib/adapters/aws-iot/websocket.ts';
import { createDynamoFigureWrites } from '../../lib/adapters/dynamodb/figure-writes.ts';
import { createDynamoOverflowGroups } from '../../lib/adapters/dynamodb/overflow-groups.ts';
import { openTable } from '../../lib/adapters/dynamodb/table.ts';
import { createMqttSessions } from '../../lib/adapters/mqtt/session.ts';
import { createSessionAddresses } from '../../lib/adapters/mqtt/session-address.ts';
import { createProducerPool } from '../../lib/adapters/rocketmq/producer-pool.ts';
import { createS3LargeBodies } from '../../lib/adapters/s3/large-bodies.ts';
import { createSecretReader } from '../../lib/adapters/secrets/secret-reader.ts';
import { DATA_PLANE_SQS_CLIENT } from '../../lib/adapters/sqs/client-options.ts';
import { createSqsControlQueue } from '../../lib/adapters/sqs/control-queue.ts';
import { createSqsDeadLetterQueue } from '../../lib/adapters/sqs/dead-letter-queue.ts';
import { createSqsOverflowQueue } from '../../lib/adapters/sqs/overflow-queue.ts';
import type { SessionShiftConfig } from '../../lib/config/shift.ts';
import { createFigureMeters } from '../../lib/replication/figures/figure-meter.ts';
import { createSessionLane } from '../../lib/replication/session-path/session-lane.ts';
import { createShift, type RunShift } from '../../lib/replication/shifts/shift.ts';
import { emulatorOf, guardShift, heldBytesOfLane, metered, type ShiftTools, tablePorts } from './shared.ts';

/** First part of the client ids of all sessions; with another one they would be other sessions. */
const CLIENT_ID_PREFIX = 'mqferry';
const RECEIVE_MAXIMUM = 1_000;
const MAX_PENDING_BYTES_OF_A_LANE = 16 * 1024 * 1024;

/** Shifts of the session path, as function and process have them. */
export function createSessionShift(config: SessionShiftConfig, tools: ShiftTools): RunShift {
  guardShift(config);
  const { clock, logger } = tools;
  const table = openTable(config.TABLE_NAME);
  const sqs = new SQSClient(DATA_PLANE_SQS_CLIENT);
  const secrets = createSecretReader({ clock });
  const shared = tablePorts(table, config, tools);
  const awsIot = createAwsIotWebsocket({ endpoints: createDataEndpoints(), ...emulatorOf(config) });
  const { meter, during } = metered(config, tools, 'mqtt-to-rocketmq');
  const openLane = createSessionLane({
    meter,
    sessions: createMqttSessions({ addressOf: createSessionAddresses({ secrets, awsIot }), clock }),
    producers: createProducerPool({ secrets, clock }),
    deadLetters: createSqsDeadLetterQueue({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, logger }),
    overflowQueue: createSqsOverflowQueue({ sqs, logger }),
    overflowGroups: createDynamoOverflowGroups(table),
    largeBodies: createS3LargeBodies({ s3: new S3Client({}), bucket: config.DEAD_LETTER_BUCKET }),
    tasks: shared.tasks,
    control: createSqsControlQueue({ sqs, queueUrl: config.CONTROL_QUEUE_URL }),
    settings: {
      clientIdPrefix: CLIENT_ID_PREFIX,
      receiveMaximum: RECEIVE_MAXIMUM,
      maxPendingBytes: heldBytesOfLane(config, MAX_PENDING_BYTES_OF_A_LANE),
    },
    figures: createFigureMeters({ store: createDynamoFigureWrites(table), clock, logger }),
    clock,
    logger,
  });
  return during(createShift({ ...shared, kind: 'session', openLane }));
}
