import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compiledStack, ROOT, VARIANTS, type Variant } from './compiled-stack.ts';

interface Statement {
  Action: string | string[];
  Resource: string | string[];
}

const policy = JSON.parse(readFileSync(path.join(ROOT, 'docs', 'deployer-policy.json'), 'utf8')) as {
  Statement: Statement[];
};
const actions = policy.Statement.flatMap(({ Action }) => Action);

/** For each type of the template, what its deployer has to be able to do: make it, and take it away again. */
const MAKE_AND_REMOVE: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['apigateway:POST', 'apigateway:DELETE'],
  'AWS::ApiGatewayV2::Authorizer': ['apigateway:POST', 'apigateway:DELETE'],
  'AWS::ApiGatewayV2::Integration': ['apigateway:POST', 'apigateway:DELETE'],
  'AWS::ApiGatewayV2::Route': ['apigateway:POST', 'apigateway:DELETE'],
  'AWS::ApiGatewayV2::Stage': ['apigateway:POST', 'apigateway:DELETE', 'logs:CreateLogDelivery'],
  'AWS::CloudWatch::Alarm': [
    'cloudwatch:PutMetricAlarm',
    'cloudwatch:DescribeAlarms',
    'cloudwatch:DeleteAlarms',
  ],
  'AWS::CloudWatch::Dashboard': ['cloudwatch:PutDashboard', 'cloudwatch:DeleteDashboards'],
  'AWS::DynamoDB::Table': [
    'dynamodb:CreateTable',
    'dynamodb:DeleteTable',
    'dynamodb:UpdateContinuousBackups',
  ],
  'AWS::Events::Rule': ['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule'],
  'AWS::IAM::Role': [
    'iam:CreateRole',
    'iam:PutRolePolicy',
    'iam:DeleteRolePolicy',
    'iam:DeleteRole',
    'iam:PassRole',
  ],
  'AWS::Lambda::EventInvokeConfig': [
    'lambda:PutFunctionEventInvokeConfig',
    'lambda:DeleteFunctionEventInvokeConfig',
  ],
  'AWS::Lambda::EventSourceMapping': ['lambda:CreateEventSourceMapping', 'lambda:DeleteEventSourceMapping'],
  'AWS::Lambda::Function': ['lambda:CreateFunction', 'lambda:UpdateFunctionCode', 'lambda:DeleteFunction'],
  'AWS::Lambda::Permission': ['lambda:AddPermission', 'lambda:RemovePermission'],
  'AWS::Logs::LogGroup': ['logs:CreateLogGroup', 'logs:PutRetentionPolicy', 'logs:DeleteLogGroup'],
  'AWS::S3::Bucket': ['s3:CreateBucket', 's3:PutLifecycleConfiguration', 's3:DeleteBucket'],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'],
  'AWS::SQS::Queue': ['sqs:CreateQueue', 'sqs:SetQueueAttributes', 'sqs:DeleteQueue'],
  'Custom::RuntimeResources': ['lambda:InvokeFunction'],
};

describe('docs/deployer-policy.json', () => {
  it.each(Object.keys(VARIANTS) as Variant[])(
    'covers every type of resource of the template, %s',
    (variant) => {
      const types = new Set(Object.values(compiledStack(variant).template.Resources).map(({ Type }) => Type));
      for (const type of types) {
        expect(Object.keys(MAKE_AND_REMOVE)).toContain(type);
        expect(actions).toEqual(expect.arrayContaining([...(MAKE_AND_REMOVE[type] ?? [])]));
      }
    },
  );

  it('names resources of this service wherever AWS knows a resource', () => {
    const onAny = policy.Statement.filter(({ Resource }) => [Resource].flat().includes('*'));
    expect(
      onAny.flatMap(({ Action }) => Action).filter((action) => /^(iam|s3|sqs|dynamodb):/.test(action)),
    ).toEqual([]);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });
});
