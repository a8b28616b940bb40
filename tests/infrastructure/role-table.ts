import { H8 } from './intrinsics.ts';
import type { LiveCode, LiveCommand } from './live-commands.ts';

/** One right: what AWS evaluates for a call (Service Authorization Reference). */
export interface Right {
  action: string;
  resource: string;
  conditions?: Record<string, Record<string, unknown>>;
}

const ARN = (service: string, rest: string) => `arn:aws:${service}:eu-west-1:123456789012:${rest}`;
const TABLE = '<Table.Arn>';
const TYPE_INDEX = '<Table.Arn>/index/byType';
const DEAD_LETTER_INDEX = '<Table.Arn>/index/deadLetters';
const CONTROL_QUEUE = '<ControlQueue.Arn>';
const HAND_OVER = '<DeadLetterQueue.Arn>';
const TASK_QUEUES = ARN('sqs', `mqferry-dev-${H8}-*`);
const TOPIC_RULES = `arn:aws:iot:*:123456789012:rule/mqferry_dev_${H8}_*`;
const MAPPINGS = ARN('lambda', 'event-source-mapping:*');
const OF_THE_BATCH_FUNCTION = {
  ArnEquals: { 'lambda:FunctionArn': ARN('lambda', 'function:mqferry-dev-mqtt-to-rocketmq') },
};
/** Topics of AWS IoT in any region: tasks name them. */
const IOT_TOPICS = 'arn:aws:iot:*:123456789012:topic/*';
/** Basic Ingest to the rules of tasks. */
const OWN_RULES_INGEST = `arn:aws:iot:*:123456789012:topic/$aws/rules/mqferry_dev_${H8}_*`;
const SECRETS = 'arn:aws:secretsmanager:*:123456789012:secret:mqferry/dev/*';
const PARAMETERS = 'arn:aws:ssm:*:123456789012:parameter/mqferry/dev/*';

const on = (resource: string, ...actions: string[]): Right[] =>
  actions.map((action) => ({ action, resource }));
const onMappings = (action: string): Right[] => [
  { action, resource: MAPPINGS, conditions: OF_THE_BATCH_FUNCTION },
];

/** A rule's actions need the role that AWS IoT takes on for them. */
const PASS_RULE_ROLE: Right = {
  action: 'iam:PassRole',
  resource: '<TopicRuleRole.Arn>',
  conditions: { StringEquals: { 'iam:PassedToService': 'iot.amazonaws.com' } },
};

/** Adapter → SDK command → what it takes. The function's code, or its name, decides where one adapter serves several ends. */
export const COMMANDS: Readonly<
  Record<string, Readonly<Record<string, (code: LiveCode, functionName: string) => Right[]>>>
> = {
  'lib/adapters/dynamodb/read.ts': {
    GetCommand: () => on(TABLE, 'dynamodb:GetItem'),
    QueryCommand: queries,
  },
  'lib/adapters/dynamodb/write.ts': {
    UpdateCommand: () => on(TABLE, 'dynamodb:UpdateItem'),
    DeleteCommand: () => on(TABLE, 'dynamodb:DeleteItem'),
    TransactWriteCommand: transactions,
  },
  'lib/adapters/dynamodb/task-records.ts': { PutCommand: () => on(TABLE, 'dynamodb:PutItem') },
  'lib/adapters/dynamodb/dead-letter-store.ts': {
    PutCommand: () => on(TABLE, 'dynamodb:PutItem'),
    DeleteCommand: () => on(TABLE, 'dynamodb:DeleteItem'),
    QueryCommand: () => [...on(TABLE, 'dynamodb:Query'), ...on(DEAD_LETTER_INDEX, 'dynamodb:Query')],
  },
  'lib/adapters/dynamodb/dead-letter-summary.ts': {
    QueryCommand: () => on(DEAD_LETTER_INDEX, 'dynamodb:Query'),
  },
  'lib/adapters/dynamodb/dead-letter-jobs.ts': {
    PutCommand: () => on(TABLE, 'dynamodb:PutItem'),
    QueryCommand: () => [...on(TABLE, 'dynamodb:Query'), ...on(TYPE_INDEX, 'dynamodb:Query')],
  },
  'lib/adapters/dynamodb/figure-writes.ts': { PutCommand: () => on(TABLE, 'dynamodb:PutItem') },
  'lib/adapters/dynamodb/figure-store.ts': { QueryCommand: () => on(TABLE, 'dynamodb:Query') },
  'lib/adapters/cloudwatch/queue-metrics.ts': {
    GetMetricDataCommand: () => on('*', 'cloudwatch:GetMetricData'),
  },
  'lib/adapters/dynamodb/converge-state.ts': { UpdateCommand: () => on(TABLE, 'dynamodb:UpdateItem') },
  'lib/adapters/dynamodb/overflow-groups.ts': {
    BatchGetCommand: () => on(TABLE, 'dynamodb:BatchGetItem'),
    QueryCommand: () => on(TABLE, 'dynamodb:Query'),
  },
  'lib/adapters/s3/large-bodies.ts': {
    PutObjectCommand: () => on('<DeadLetterBucket.Arn>/*', 's3:PutObject'),
    // Who may not list gets 403 and not 404 for what is not there.
    GetObjectCommand: () => [
      ...on('<DeadLetterBucket.Arn>/*', 's3:GetObject'),
      ...on('<DeadLetterBucket.Arn>', 's3:ListBucket'),
    ],
    CopyObjectCommand: () => [
      ...on('<DeadLetterBucket.Arn>/*', 's3:GetObject', 's3:PutObject'),
      ...on('<DeadLetterBucket.Arn>', 's3:ListBucket'),
    ],
    DeleteObjectCommand: () => on('<DeadLetterBucket.Arn>/*', 's3:DeleteObject'),
  },
  'lib/adapters/s3/bucket-cleaner.ts': {
    ListObjectsV2Command: () => on('<DeadLetterBucket.Arn>', 's3:ListBucket'),
    DeleteObjectsCommand: () => on('<DeadLetterBucket.Arn>/*', 's3:DeleteObject'),
  },
  'lib/adapters/secrets/secret-reader.ts': {
    GetSecretValueCommand: () => on(SECRETS, 'secretsmanager:GetSecretValue'),
    GetParameterCommand: () => on(PARAMETERS, 'ssm:GetParameter'),
  },
  'lib/adapters/sqs/control-queue.ts': {
    SendMessageCommand: () => on(CONTROL_QUEUE, 'sqs:SendMessage'),
  },
  'lib/adapters/sqs/dead-letter-queue.ts': {
    SendMessageBatchCommand: () => on(HAND_OVER, 'sqs:SendMessage'),
  },
  'lib/adapters/sqs/overflow-queue.ts': {
    SendMessageBatchCommand: () => on(TASK_QUEUES, 'sqs:SendMessage'),
  },
  'lib/adapters/sqs/visibility.ts': {
    ChangeMessageVisibilityBatchCommand: (_, functionName) =>
      on(functionName === 'converge' ? CONTROL_QUEUE : TASK_QUEUES, 'sqs:ChangeMessageVisibility'),
  },
  'lib/adapters/sqs/queue-counter.ts': {
    GetQueueAttributesCommand: () => on(TASK_QUEUES, 'sqs:GetQueueAttributes'),
  },
  'lib/adapters/sqs/task-queues.ts': {
    CreateQueueCommand: () => on(TASK_QUEUES, 'sqs:CreateQueue', 'sqs:TagQueue'),
    DeleteQueueCommand: () => on(TASK_QUEUES, 'sqs:DeleteQueue'),
    GetQueueAttributesCommand: () => on(TASK_QUEUES, 'sqs:GetQueueAttributes'),
    GetQueueUrlCommand: () => on(TASK_QUEUES, 'sqs:GetQueueUrl'),
    SetQueueAttributesCommand: () => on(TASK_QUEUES, 'sqs:SetQueueAttributes'),
    TagQueueCommand: () => on(TASK_QUEUES, 'sqs:TagQueue'),
    ListQueueTagsCommand: () => on(TASK_QUEUES, 'sqs:ListQueueTags'),
    ListQueuesCommand: () => on('*', 'sqs:ListQueues'),
  },
  'lib/adapters/lambda/event-source-mappings.ts': {
    CreateEventSourceMappingCommand: () => [
      { action: 'lambda:CreateEventSourceMapping', resource: '*', conditions: OF_THE_BATCH_FUNCTION },
      ...on(MAPPINGS, 'lambda:TagResource'),
    ],
    GetEventSourceMappingCommand: () => onMappings('lambda:GetEventSourceMapping'),
    UpdateEventSourceMappingCommand: () => onMappings('lambda:UpdateEventSourceMapping'),
    DeleteEventSourceMappingCommand: () => onMappings('lambda:DeleteEventSourceMapping'),
    ListEventSourceMappingsCommand: () => on('*', 'lambda:ListEventSourceMappings'),
    ListTagsCommand: () => on(MAPPINGS, 'lambda:ListTags'),
  },
  'lib/adapters/lambda/account-limits.ts': {
    GetAccountSettingsCommand: () => on('*', 'lambda:GetAccountSettings'),
  },
  'lib/adapters/lambda/invoke-async.ts': {
    InvokeCommand: (_, functionName) =>
      (functionName === 'converge' ? ['rocketmq-to-mqtt', 'mqtt-session'] : ['redrive']).flatMap((name) =>
        on(ARN('lambda', `function:mqferry-dev-${name}`), 'lambda:InvokeFunction'),
      ),
  },
  'lib/adapters/lambda/target-probe.ts': {
    InvokeCommand: () => on(ARN('lambda', 'function:mqferry-dev-probe'), 'lambda:InvokeFunction'),
  },
  'lib/adapters/lambda/self-invocation.ts': {
    InvokeCommand: (_, functionName) =>
      on(ARN('lambda', `function:mqferry-dev-${functionName}`), 'lambda:InvokeFunction'),
  },
  'lib/adapters/aws-iot/data-endpoint.ts': {
    DescribeEndpointCommand: () => on('*', 'iot:DescribeEndpoint'),
  },
  'lib/adapters/aws-iot/data-publisher.ts': {
    PublishCommand: () => on(IOT_TOPICS, 'iot:Publish', 'iot:RetainPublish'),
    GetRetainedMessageCommand: () => on(IOT_TOPICS, 'iot:GetRetainedMessage'),
  },
  'lib/adapters/aws-iot/basic-ingest.ts': {
    PublishCommand: () => on(OWN_RULES_INGEST, 'iot:Publish'),
  },
  'lib/adapters/aws-iot/topic-rules.ts': {
    CreateTopicRuleCommand: () => [
      ...on(TOPIC_RULES, 'iot:CreateTopicRule', 'iot:TagResource'),
      PASS_RULE_ROLE,
    ],
    ReplaceTopicRuleCommand: () => [...on(TOPIC_RULES, 'iot:ReplaceTopicRule'), PASS_RULE_ROLE],
    EnableTopicRuleCommand: () => [...on(TOPIC_RULES, 'iot:EnableTopicRule'), PASS_RULE_ROLE],
    DisableTopicRuleCommand: () => on(TOPIC_RULES, 'iot:DisableTopicRule'),
    GetTopicRuleCommand: () => on(TOPIC_RULES, 'iot:GetTopicRule'),
    DeleteTopicRuleCommand: () => on(TOPIC_RULES, 'iot:DeleteTopicRule'),
    ListTagsForResourceCommand: () => on(TOPIC_RULES, 'iot:ListTagsForResource'),
    ListTopicRulesCommand: () => on('*', 'iot:ListTopicRules'),
  },
};

/** What others do in a function's name: Lambda beside what the template's own mappings ask for, AWS IoT for a connection. */
export const ON_BEHALF: Readonly<Record<string, { who: string; rights: readonly Right[] }>> = {
  // Its mappings are made at run time.
  'mqtt-to-rocketmq': {
    who: 'Lambda reads the queues of tasks',
    rights: on(TASK_QUEUES, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'),
  },
  // AWS IoT evaluates what a connection does, by the rights of who has signed it.
  'mqtt-session': {
    who: 'AWS IoT keeps the MQTT session that the function has signed',
    rights: [
      ...on('arn:aws:iot:*:123456789012:client/mqferry-*', 'iot:Connect'),
      ...on('arn:aws:iot:*:123456789012:topicfilter/*', 'iot:Subscribe'),
      ...on(IOT_TOPICS, 'iot:Receive'),
    ],
  },
};

/** What the role takes that AWS IoT assumes for the actions of topic rules. */
export const OF_TOPIC_RULES: readonly Right[] = [
  ...on(TASK_QUEUES, 'sqs:SendMessage'),
  ...on(HAND_OVER, 'sqs:SendMessage'),
];

/** What a function in a VPC takes. */
export const OF_VPC: readonly Right[] = on(
  '*',
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
);

/** What a mapping from a queue of the stack takes. */
export function rightsOfMapping(queueArn: string): Right[] {
  return on(queueArn, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');
}

/** A call that is in a function's bundle and is never made there: at all, or not in the ways that take these actions. */
export interface NeverCalled extends LiveCommand {
  on?: Right;
}

const TRANSACTION = { file: 'lib/adapters/dynamodb/write.ts', command: 'TransactWriteCommand' };
const QUERY = { file: 'lib/adapters/dynamodb/read.ts', command: 'QueryCommand' };
const DEAD_LETTER_STORE = 'lib/adapters/dynamodb/dead-letter-store.ts';
const DEAD_LETTER_SUMMARY = 'lib/adapters/dynamodb/dead-letter-summary.ts';
const DEAD_LETTER_JOBS = 'lib/adapters/dynamodb/dead-letter-jobs.ts';
const FIGURE_WRITES = 'lib/adapters/dynamodb/figure-writes.ts';
const LARGE_BODIES = 'lib/adapters/s3/large-bodies.ts';

/** Stores are composed whole; the ports that a use case is given say what it can call. */
export const NEVER_CALLED: Readonly<Record<string, readonly NeverCalled[]>> = {
  // It reads clusters and topics; registering is the other function's.
  'api-tasks': [{ ...TRANSACTION, on: { action: 'dynamodb:ConditionCheckItem', resource: TABLE } }],
  // Of tasks it asks for the list alone.
  'api-clusters': [
    { ...TRANSACTION, on: { action: 'dynamodb:PutItem', resource: TABLE } },
    { file: 'lib/adapters/dynamodb/task-records.ts', command: 'PutCommand' },
  ],
  // It reads one task, writes events and registers topics.
  probe: [
    { ...QUERY, on: { action: 'dynamodb:Query', resource: TYPE_INDEX } },
    { ...TRANSACTION, on: { action: 'dynamodb:DeleteItem', resource: TABLE } },
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
  ],
  // Its ports are TaskReader and ClusterReader: one item read, one status written with its event. It lists lanes, reads large bodies, settles marks.
  'mqtt-to-rocketmq': [
    { file: 'lib/adapters/dynamodb/overflow-groups.ts', command: 'BatchGetCommand' },
    { file: 'lib/adapters/dynamodb/overflow-groups.ts', command: 'QueryCommand' },
    { file: FIGURE_WRITES, command: 'PutCommand' },
    { file: LARGE_BODIES, command: 'PutObjectCommand' },
    { file: LARGE_BODIES, command: 'CopyObjectCommand' },
    { file: LARGE_BODIES, command: 'DeleteObjectCommand' },
    { ...QUERY, on: { action: 'dynamodb:Query', resource: TYPE_INDEX } },
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
  ],
  // Its ports: it reads tasks, says what they are at, keeps leases and slots, and marks groups that overflow.
  'mqtt-session': [
    { ...QUERY, on: { action: 'dynamodb:Query', resource: TYPE_INDEX } },
    TRANSACTION,
    { file: LARGE_BODIES, command: 'GetObjectCommand' },
    { file: LARGE_BODIES, command: 'CopyObjectCommand' },
    { file: LARGE_BODIES, command: 'DeleteObjectCommand' },
  ],
  // Its ports: it reads tasks, says what they are at, keeps leases and slots, and stores dead letters.
  'rocketmq-to-mqtt': [
    { ...QUERY, on: { action: 'dynamodb:Query', resource: TYPE_INDEX } },
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: DEAD_LETTER_STORE, command: 'QueryCommand' },
    { file: DEAD_LETTER_SUMMARY, command: 'QueryCommand' },
    { file: DEAD_LETTER_STORE, command: 'DeleteCommand' },
    { file: LARGE_BODIES, command: 'GetObjectCommand' },
    { file: LARGE_BODIES, command: 'CopyObjectCommand' },
    { file: LARGE_BODIES, command: 'DeleteObjectCommand' },
  ],
  // It asks for the page of tasks, takes their leases and looks at lanes and slots; of the cloud it lists, reads and deletes.
  'runtime-resources': [
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: 'lib/adapters/dynamodb/task-records.ts', command: 'PutCommand' },
    { file: 'lib/adapters/sqs/task-queues.ts', command: 'CreateQueueCommand' },
    { file: 'lib/adapters/sqs/task-queues.ts', command: 'SetQueueAttributesCommand' },
    { file: 'lib/adapters/sqs/task-queues.ts', command: 'TagQueueCommand' },
    { file: 'lib/adapters/lambda/event-source-mappings.ts', command: 'CreateEventSourceMappingCommand' },
    { file: 'lib/adapters/lambda/event-source-mappings.ts', command: 'UpdateEventSourceMappingCommand' },
    { file: 'lib/adapters/aws-iot/topic-rules.ts', command: 'CreateTopicRuleCommand' },
    { file: 'lib/adapters/aws-iot/topic-rules.ts', command: 'ReplaceTopicRuleCommand' },
    { file: 'lib/adapters/aws-iot/topic-rules.ts', command: 'EnableTopicRuleCommand' },
    { file: 'lib/adapters/aws-iot/topic-rules.ts', command: 'DisableTopicRuleCommand' },
  ],
  // It stores, and counts what nobody else has; who reads dead letters is the API.
  'dead-letters': [
    QUERY,
    { file: FIGURE_WRITES, command: 'PutCommand' },
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: DEAD_LETTER_STORE, command: 'QueryCommand' },
    { file: DEAD_LETTER_SUMMARY, command: 'QueryCommand' },
    { file: DEAD_LETTER_STORE, command: 'DeleteCommand' },
    { file: LARGE_BODIES, command: 'CopyObjectCommand' },
    { file: LARGE_BODIES, command: 'DeleteObjectCommand' },
  ],
  // It reads tasks, dead letters and jobs, and makes jobs.
  'api-dead-letters': [
    { ...QUERY, on: { action: 'dynamodb:Query', resource: TYPE_INDEX } },
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'UpdateCommand' },
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: DEAD_LETTER_STORE, command: 'DeleteCommand' },
    {
      file: DEAD_LETTER_JOBS,
      command: 'QueryCommand',
      on: { action: 'dynamodb:Query', resource: TYPE_INDEX },
    },
    { file: LARGE_BODIES, command: 'PutObjectCommand' },
    { file: LARGE_BODIES, command: 'CopyObjectCommand' },
    { file: LARGE_BODIES, command: 'DeleteObjectCommand' },
  ],
  // It reads.
  'api-metrics': [
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'UpdateCommand' },
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: 'lib/adapters/dynamodb/task-records.ts', command: 'PutCommand' },
    { file: FIGURE_WRITES, command: 'PutCommand' },
  ],
  // It reads tasks and clusters, writes events, and works on dead letters and jobs, which others make.
  redrive: [
    TRANSACTION,
    { file: 'lib/adapters/dynamodb/write.ts', command: 'DeleteCommand' },
    { file: LARGE_BODIES, command: 'PutObjectCommand' },
  ],
};

/** Lists run on the index, the items of one partition on the table. */
function queries({ sources }: LiveCode): Right[] {
  const code = [...sources.values()].join('\n');
  return [
    ...(/\bIndexName:/.test(code) ? on(TYPE_INDEX, 'dynamodb:Query') : []),
    ...(/partitionQuery\(/.test(code.replace('function partitionQuery(', ''))
      ? on(TABLE, 'dynamodb:Query')
      : []),
  ];
}

/** DynamoDB evaluates each write of a transaction by itself. */
function transactions({ sources }: LiveCode): Right[] {
  const code = [...sources].map(([file, text]) => (file.endsWith('/write.ts') ? '' : text)).join('\n');
  const kinds = {
    Put: 'PutItem',
    Update: 'UpdateItem',
    Delete: 'DeleteItem',
    ConditionCheck: 'ConditionCheckItem',
  };
  return Object.entries(kinds)
    .filter(([kind]) => new RegExp(`\\b${kind}: \\{`).test(code))
    .flatMap(([, action]) => on(TABLE, `dynamodb:${action}`));
}
