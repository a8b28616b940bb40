import { describe, expect, it } from '@jest/globals';
import { compiledStack, VARIANTS, type Variant } from './compiled-stack.ts';
import { H8 } from './intrinsics.ts';
import { statementsOf } from './statements.ts';

/** Actions that AWS evaluates for no single resource, with the condition that narrows them where there is one. */
const ANY_RESOURCE: Readonly<Record<string, readonly string[]>> = {
  'lambda:CreateEventSourceMapping': ['lambda:FunctionArn'],
  'lambda:ListEventSourceMappings': [],
  'lambda:GetAccountSettings': [],
  'iot:DescribeEndpoint': [],
  'iot:ListTopicRules': [],
  'sqs:ListQueues': [],
  'cloudwatch:GetMetricData': [],
};
const VPC_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];
/** Those that reach brokers, in the order of `functions` in serverless.yml. */
const REACHING_BROKERS = [
  'ProbeLambdaFunction',
  'MqttToRocketmqLambdaFunction',
  'RocketmqToMqttLambdaFunction',
  'MqttSessionLambdaFunction',
  'RedriveLambdaFunction',
];

const variants = Object.keys(VARIANTS) as Variant[];

describe.each(variants)('the template, %s', (variant) => {
  const stack = compiledStack(variant);
  const { stage } = VARIANTS[variant];
  const functions = stack.ofType('AWS::Lambda::Function');
  const roles = stack.ofType('AWS::IAM::Role');

  it('gives each queue a dead-letter queue that keeps 14 days', () => {
    const queues = new Map(stack.ofType('AWS::SQS::Queue'));
    const targets = new Set<string>();
    for (const { RedrivePolicy } of queues.values()) {
      if (RedrivePolicy === undefined) continue;
      const { deadLetterTargetArn } = RedrivePolicy as { deadLetterTargetArn: string };
      targets.add(deadLetterTargetArn.slice(1, -'.Arn>'.length));
    }
    const last = [...queues].filter(([, { RedrivePolicy }]) => RedrivePolicy === undefined).map(([id]) => id);
    expect(last.sort()).toEqual([...targets].sort());
    expect(last.length).toBeGreaterThan(0);
    for (const id of targets) expect(queues.get(id)?.MessageRetentionPeriod).toBe(1_209_600);
  });

  it('pairs FIFO queues with FIFO dead-letter queues, and names each by the stack', () => {
    const queues = new Map(stack.ofType('AWS::SQS::Queue'));
    for (const { QueueName, FifoQueue, RedrivePolicy } of queues.values()) {
      expect(QueueName).toMatch(new RegExp(`^mqferry-${stage}-[a-z-]+-${H8}${FifoQueue ? '\\.fifo' : ''}$`));
      const target = (RedrivePolicy as { deadLetterTargetArn: string } | undefined)?.deadLetterTargetArn;
      if (target !== undefined) expect(queues.get(target.slice(1, -5))?.FifoQueue).toBe(FifoQueue);
    }
  });

  it('hides a message from other receivers for longer than its function may take', () => {
    const byArn = new Map(functions.map(([id, properties]) => [`<${id}.Arn>`, properties]));
    const queues = new Map(stack.ofType('AWS::SQS::Queue').map(([id, queue]) => [`<${id}.Arn>`, queue]));
    const mappings = stack.ofType('AWS::Lambda::EventSourceMapping');
    expect(mappings.length).toBeGreaterThan(0);
    for (const [, mapping] of mappings) {
      const consumer = byArn.get(mapping.FunctionName as string);
      const queue = queues.get(mapping.EventSourceArn as string);
      expect(Number(queue?.VisibilityTimeout)).toBeGreaterThan(Number(consumer?.Timeout));
      expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    }
  });

  it('gives each function a role of its own', () => {
    const used = functions.map(([, { Role }]) => Role);
    expect(new Set(used).size).toBe(functions.length);
    const functionRoles = roles.filter(([, role]) =>
      JSON.stringify(role.AssumeRolePolicyDocument).includes('lambda.amazonaws.com'),
    );
    expect(functionRoles.map(([id]) => `<${id}.Arn>`).sort()).toEqual([...used].sort());
    for (const [id, { Role }] of functions)
      expect(Role).toBe(`<${id.replace('LambdaFunction', 'Role')}.Arn>`);
  });

  it('allows nothing on every resource but what AWS evaluates so', () => {
    const onAny = roles
      .flatMap(([, role]) => statementsOf(role))
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions, conditions }) =>
        actions.map((action) => ({ action, keys: conditionKeys(conditions) })),
      )
      .filter(({ action }) => !VPC_ACTIONS.includes(action));
    expect(onAny.length).toBeGreaterThan(0);
    for (const { action, keys } of onAny) {
      expect(Object.keys(ANY_RESOURCE)).toContain(action);
      expect([action, keys]).toEqual([action, ANY_RESOURCE[action] ?? []]);
    }
  });

  it('grants no wildcard actions, and nobody the right to make log groups', () => {
    const actions = roles.flatMap(([, role]) => statementsOf(role).flatMap((statement) => statement.actions));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    expect(actions).not.toContain('logs:CreateLogGroup');
  });

  it('grants network interfaces to functions that reach brokers, inside a VPC only', () => {
    const inVpc = functions.filter(([, { VpcConfig }]) => VpcConfig !== undefined).map(([id]) => id);
    expect(inVpc).toEqual(variant === 'full' ? REACHING_BROKERS : []);
    const granted = roles.filter(([, role]) => JSON.stringify(role).includes('ec2:')).map(([id]) => id);
    expect(granted).toEqual(inVpc.map((id) => id.replace('LambdaFunction', 'Role')));
    for (const [id, role] of roles) {
      const actions = statementsOf(role).flatMap((statement) => statement.actions);
      const network = actions.filter((action) => action.startsWith('ec2:')).sort();
      expect([id, network]).toEqual([id, granted.includes(id) ? VPC_ACTIONS : []]);
    }
  });

  it('keeps every log for a stated time, in a group that is there before its writer', () => {
    const groups = stack.ofType('AWS::Logs::LogGroup');
    const days = variant === 'full' ? 90 : 30;
    for (const [id, { RetentionInDays }] of groups) expect([id, RetentionInDays]).toEqual([id, days]);
    const names = groups.map(([, { LogGroupName }]) => LogGroupName);
    for (const [id, { FunctionName }] of functions) {
      expect(names).toContain(`/aws/lambda/${FunctionName}`);
      expect(stack.template.Resources[id]?.DependsOn).toContain(id.replace('LambdaFunction', 'LogGroup'));
    }
  });

  it('lets each function write to its own log group only', () => {
    for (const [id, { FunctionName }] of functions) {
      const role = new Map(roles).get(id.replace('LambdaFunction', 'Role')) ?? {};
      const log = statementsOf(role).filter(({ actions }) =>
        actions.some((action) => action.startsWith('logs:')),
      );
      expect(log).toEqual([
        {
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [`arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/${FunctionName}:*`],
          conditions: {},
        },
      ]);
    }
  });

  it('leaves no route open', () => {
    const routes = stack.ofType('AWS::ApiGatewayV2::Route');
    expect(routes.length).toBeGreaterThan(10);
    const wanted = variant === 'full' ? 'JWT' : 'AWS_IAM';
    for (const [id, { AuthorizationType }] of routes) expect([id, AuthorizationType]).toEqual([id, wanted]);
    const authorizers = stack.ofType('AWS::ApiGatewayV2::Authorizer').map(([, properties]) => properties);
    expect(authorizers).toEqual(
      variant === 'full'
        ? [
            expect.objectContaining({
              AuthorizerType: 'JWT',
              JwtConfiguration: { Issuer: 'https://issuer.example', Audience: ['mqferry'] },
            }),
          ]
        : [],
    );
  });

  it('throttles the API and logs every access as one JSON line', () => {
    const api = new Map(stack.ofType('AWS::ApiGatewayV2::Stage')).get('HttpApiStage') ?? {};
    expect(api.DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
    const { Format } = api.AccessLogSettings as { Format: string };
    const line = JSON.parse(Format) as Record<string, string>;
    expect(Object.keys(line)).toEqual(
      expect.arrayContaining(['requestId', 'routeKey', 'status', 'integrationError']),
    );
  });

  it('ticks once a minute and never repeats a tick', () => {
    const schedules = stack
      .ofType('AWS::Events::Rule')
      .map(([, properties]) => properties.ScheduleExpression);
    expect(schedules.toSorted()).toEqual([
      'rate(1 minute)',
      'rate(1 minute)',
      'rate(1 minute)',
      'rate(1 minute)',
      'rate(15 minutes)',
    ]);
    const invocations = stack.ofType('AWS::Lambda::EventInvokeConfig').map(([, properties]) => properties);
    expect(invocations).toEqual(
      [
        '<RocketmqToMqttLambdaFunction>',
        '<MqttSessionLambdaFunction>',
        '<ConvergeLambdaFunction>',
        '<RedriveLambdaFunction>',
      ].map((FunctionName) =>
        expect.objectContaining({ FunctionName, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 }),
      ),
    );
  });

  it('keeps data when told so, and leaves nothing otherwise', () => {
    const kept = Object.entries(stack.template.Resources)
      .filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain')
      .map(([id]) => id);
    expect(kept.sort()).toEqual(variant === 'full' ? ['DeadLetterBucket', 'Table'] : []);
    for (const id of ['Table', 'DeadLetterBucket']) {
      expect(stack.template.Resources[id]?.UpdateReplacePolicy).toBe('Retain');
    }
  });

  it('can restore the table, lets it expire, and pays by request', () => {
    const [[, table] = []] = stack.ofType('AWS::DynamoDB::Table');
    expect(table).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  it('keeps the bucket private, to TLS, and for 90 days', () => {
    const bucket = new Map(stack.ofType('AWS::S3::Bucket')).get('DeadLetterBucket');
    expect(bucket).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: {
        Rules: [expect.objectContaining({ Status: 'Enabled', ExpirationInDays: 90 })],
      },
    });
    const policy = new Map(stack.ofType('AWS::S3::BucketPolicy')).get('DeadLetterBucketPolicy');
    expect(policy).toMatchObject({
      Bucket: '<DeadLetterBucket>',
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Deny',
            Action: 's3:*',
            Resource: ['<DeadLetterBucket.Arn>', '<DeadLetterBucket.Arn>/*'],
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    });
  });

  it('deletes what was made at run time before anything else of the stack', () => {
    const { RuntimeResources, ...others } = stack.template.Resources;
    expect(RuntimeResources).toMatchObject({
      Type: 'Custom::RuntimeResources',
      Properties: { ServiceToken: { 'Fn::GetAtt': ['RuntimeResourcesLambdaFunction', 'Arn'] } },
    });
    expect([...(RuntimeResources?.DependsOn ?? [])].sort()).toEqual(Object.keys(others).sort());
  });

  it('names the batching function as its mappings expect it', () => {
    const names = new Map(functions.map(([id, { FunctionName }]) => [id, FunctionName]));
    expect(names.get('MqttToRocketmqLambdaFunction')).toBe(`mqferry-${stage}-mqtt-to-rocketmq`);
    const converge = new Map(functions).get('ConvergeLambdaFunction');
    expect(converge?.Environment).toMatchObject({
      Variables: { BATCH_FUNCTION_NAME: `mqferry-${stage}-mqtt-to-rocketmq` },
    });
  });

  it('lets AWS IoT take on the one action role for rules of this stack only', () => {
    const role = new Map(roles).get('TopicRuleRole') ?? {};
    expect(role.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'iot.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: {
            StringEquals: { 'aws:SourceAccount': '123456789012' },
            ArnLike: {
              'aws:SourceArn': `arn:aws:iot:*:123456789012:rule/mqferry_${stage.replace('-', '_')}_${H8}_*`,
            },
          },
        },
      ],
    });
    expect(statementsOf(role)).toEqual([
      {
        actions: ['sqs:SendMessage'],
        resources: [`arn:aws:sqs:eu-west-1:123456789012:mqferry-${stage}-${H8}-*`],
        conditions: {},
      },
      { actions: ['sqs:SendMessage'], resources: ['<DeadLetterQueue.Arn>'], conditions: {} },
    ]);
  });

  it('packs the private CAs for the functions that reach brokers', () => {
    const trusting = functions.filter(([, { Environment }]) =>
      JSON.stringify(Environment).includes('NODE_EXTRA_CA_CERTS'),
    );
    expect(trusting.map(([id]) => id)).toEqual(variant === 'full' ? REACHING_BROKERS : []);
  });

  it('stays within the 4 KB that Lambda takes of environment', () => {
    for (const [id, { Environment }] of functions) {
      const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, string> };
      expect([id, JSON.stringify(Variables).length < 3_000]).toEqual([id, true]);
    }
  });

  it('says where the API is', () => {
    expect(stack.evaluate(stack.template.Outputs.ApiUrl?.Value)).toBe(
      'https://<HttpApi>.execute-api.eu-west-1.amazonaws.com',
    );
  });
});

function conditionKeys(conditions: Record<string, Record<string, unknown>>): string[] {
  return Object.values(conditions).flatMap((keys) => Object.keys(keys));
}
