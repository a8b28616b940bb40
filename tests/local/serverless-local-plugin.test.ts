import { afterEach, describe, expect, it } from '@jest/globals';
import LocalPlugin from '../../local/serverless-local-plugin.cjs';

const { adaptTemplate } = LocalPlugin;

const role = (...Statement: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: { Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement } }] },
});

/** The statements of the one role of a template, after adaptation. */
function adapted(...statements: object[]) {
  const template = { Resources: { Role: role(...statements) } };
  adaptTemplate(template);
  return template.Resources.Role.Properties.Policies[0]?.PolicyDocument.Statement;
}

describe('adaptTemplate', () => {
  it('leaves alone what the emulator understands', () => {
    const template = () => ({
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 180 }, DependsOn: ['Role'] },
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'm' } },
        Role: role({
          Effect: 'Allow',
          Action: ['dynamodb:GetItem'],
          Resource: '*',
          Condition: { StringEquals: { 'iam:PassedToService': 'iot.amazonaws.com' } },
        }),
      },
      Outputs: { Url: { Value: { Ref: 'Queue' } } },
    });
    const changed = template();
    adaptTemplate(changed);
    expect(changed).toEqual(template());
  });

  it('takes out refused types with what depends on them and outputs them', () => {
    const template = {
      Resources: {
        Worst: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: {} },
        Ratio: { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics: [] } },
        Queue: { Type: 'AWS::SQS::Queue', DependsOn: ['Worst', 'Table'] },
        Topic: { Type: 'AWS::SNS::Topic', DependsOn: 'Ratio' },
        Table: { Type: 'AWS::DynamoDB::Table' },
      },
      Outputs: {
        Gone: { Value: { 'Fn::GetAtt': ['Worst', 'Arn'] } },
        AlsoGone: { Value: { 'Fn::Sub': 'x/${Ratio.Arn}' } },
        Kept: { Value: { Ref: 'Queue' } },
      },
    };
    adaptTemplate(template);
    expect(template).toEqual({
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', DependsOn: ['Table'] },
        Topic: { Type: 'AWS::SNS::Topic' },
        Table: { Type: 'AWS::DynamoDB::Table' },
      },
      Outputs: { Kept: { Value: { Ref: 'Queue' } } },
    });
  });

  it('fails instead of deploying a reference to nothing', () => {
    const template = {
      Resources: {
        Worst: { Type: 'AWS::CloudWatch::CompositeAlarm' },
        Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: 'Worst' } } },
      },
    };
    expect(() => adaptTemplate(template)).toThrow('Topic refers to Worst, which the emulator cannot deploy');
  });

  it.each([
    ['sqs:ChangeMessageVisibility', 'sqs:ChangeMessageVisibilityBatch'],
    ['sqs:DeleteMessage', 'sqs:DeleteMessageBatch'],
    ['sqs:SendMessage', 'sqs:SendMessageBatch'],
  ])('adds to %s its batch form', (action, batchForm) => {
    expect(adapted({ Effect: 'Allow', Action: action, Resource: '*' })).toEqual([
      { Effect: 'Allow', Action: [action, batchForm], Resource: '*' },
    ]);
  });

  it('drops the condition key that the emulator does not know, and only that', () => {
    const ArnEquals = { 'lambda:FunctionArn': 'arn:f' };
    const StringEquals = { 'iam:PassedToService': 'iot.amazonaws.com' };
    expect(
      adapted(
        { Effect: 'Allow', Action: ['lambda:CreateEventSourceMapping'], Condition: { ArnEquals } },
        {
          Effect: 'Allow',
          Action: ['iam:PassRole'],
          Condition: { ArnEquals: { ...ArnEquals, 'aws:SourceArn': 'arn:s' }, StringEquals },
        },
      ),
    ).toEqual([
      { Effect: 'Allow', Action: ['lambda:CreateEventSourceMapping'] },
      {
        Effect: 'Allow',
        Action: ['iam:PassRole'],
        Condition: { ArnEquals: { 'aws:SourceArn': 'arn:s' }, StringEquals },
      },
    ]);
  });

  it('never widens a Deny', () => {
    const deny = {
      Effect: 'Deny',
      Action: ['lambda:*'],
      Condition: { ArnEquals: { 'lambda:FunctionArn': 'x' } },
    };
    expect(adapted(structuredClone(deny))).toEqual([deny]);
  });

  it.each(['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'])('adapts %s too', (Type) => {
    const PolicyDocument = { Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage' }] };
    adaptTemplate({ Resources: { Policy: { Type, Properties: { PolicyDocument } } } });
    expect(PolicyDocument.Statement[0]?.Action).toEqual(['sqs:SendMessage', 'sqs:SendMessageBatch']);
  });
});

describe('LocalPlugin', () => {
  const before = process.env.AWS_ENDPOINT_URL;
  const serverless = { getProvider: () => ({}) };

  afterEach(() => {
    if (before === undefined) delete process.env.AWS_ENDPOINT_URL;
    else process.env.AWS_ENDPOINT_URL = before;
  });

  it('hooks in where the endpoint is an emulator', () => {
    process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:4566';
    expect(Object.keys(new LocalPlugin(serverless).hooks)).toEqual([
      'after:aws:package:finalize:mergeCustomProviderResources',
      'after:deploy:deploy',
    ]);
  });

  it.each([undefined, '', 'https://sqs.eu-west-1.amazonaws.com', 'http://127.0.0.1.example.com'])(
    'does nothing where AWS_ENDPOINT_URL is %p',
    (url) => {
      if (url === undefined) delete process.env.AWS_ENDPOINT_URL;
      else process.env.AWS_ENDPOINT_URL = url;
      expect(new LocalPlugin(serverless).hooks).toEqual({});
    },
  );
});
