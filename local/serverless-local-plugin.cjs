'use strict';
// What `serverless deploy` to the AWS emulator of the local stack (MiniStack 1.5.33) needs beside it. It works only where
// AWS_ENDPOINT_URL points somewhere else than AWS: a deployment to AWS is never touched.
//
// Before: takes out of the template what the emulator's CloudFormation refuses, and bends the policies where its IAM
// differs from AWS's. After: applies by API what its CloudFormation accepts and forgets.
const {
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} = require('@aws-sdk/client-dynamodb');
const { LambdaClient, PutFunctionConcurrencyCommand } = require('@aws-sdk/client-lambda');
const { CloudFormationClient, paginateListStackResources } = require('@aws-sdk/client-cloudformation');

/** Types its CloudFormation fails on; none of them carries a message. */
const UNSUPPORTED_TYPES = new Set([
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::Budgets::Budget',
  'AWS::CloudWatch::AnomalyDetector',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::InsightRule',
  'AWS::Logs::QueryDefinition',
  'AWS::SQS::QueueInlinePolicy',
  'AWS::SecretsManager::ResourcePolicy',
]);

/** Condition keys that AWS fills in and the emulator does not, so that their statements would never match. */
const UNKNOWN_CONDITION_KEYS = new Set(['lambda:FunctionArn']);

/** On AWS the right to an action covers its batch form; the emulator asks for an action that AWS does not have. */
const BATCH_FORMS = {
  'sqs:ChangeMessageVisibility': 'sqs:ChangeMessageVisibilityBatch',
  'sqs:DeleteMessage': 'sqs:DeleteMessageBatch',
  'sqs:SendMessage': 'sqs:SendMessageBatch',
};

/** By resource type: the calls that repeat what its CloudFormation forgets. */
const REPEATERS = {
  'AWS::DynamoDB::Table': async (properties, tableName, config) => {
    const client = new DynamoDBClient(config);
    const { TimeToLiveSpecification: timeToLive, PointInTimeRecoverySpecification: recovery } = properties;
    if (timeToLive !== undefined)
      await unlessAlready(
        client.send(
          new UpdateTimeToLiveCommand({
            TableName: tableName,
            TimeToLiveSpecification: { Enabled: true, ...timeToLive },
          }),
        ),
      );
    if (recovery !== undefined)
      await client.send(
        new UpdateContinuousBackupsCommand({
          TableName: tableName,
          PointInTimeRecoverySpecification: recovery,
        }),
      );
  },
  'AWS::Lambda::Function': async (properties, functionName, config) => {
    const { ReservedConcurrentExecutions: reserved } = properties;
    if (reserved !== undefined)
      await new LambdaClient(config).send(
        new PutFunctionConcurrencyCommand({
          FunctionName: functionName,
          ReservedConcurrentExecutions: reserved,
        }),
      );
  },
};

class LocalPlugin {
  constructor(serverless) {
    this.hooks = {};
    if (!isEmulator(process.env.AWS_ENDPOINT_URL)) return;
    this.serverless = serverless;
    this.provider = serverless.getProvider('aws');
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => adaptTemplate(this.template),
      'after:deploy:deploy': () => this.repeatForgotten(),
    };
  }

  get template() {
    return this.serverless.service.provider.compiledCloudFormationTemplate;
  }

  async repeatForgotten() {
    const config = await this.provider.getAwsSdkV3Config();
    const physicalIds = await this.physicalIds(config);
    for (const [logicalId, { Type, Properties = {} }] of Object.entries(this.template.Resources)) {
      await REPEATERS[Type]?.(Properties, physicalIds.get(logicalId), config);
    }
  }

  async physicalIds(config) {
    const client = new CloudFormationClient(config);
    const ids = new Map();
    const StackName = this.provider.naming.getStackName();
    for await (const page of paginateListStackResources({ client }, { StackName })) {
      for (const { LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries) {
        ids.set(LogicalResourceId, PhysicalResourceId);
      }
    }
    return ids;
  }
}

/** Changes a compiled template in place into one that the emulator deploys. Fails when that would leave a dangling reference. */
function adaptTemplate(template) {
  const removed = removeUnsupported(template);
  for (const resource of Object.values(template.Resources)) {
    for (const statement of statementsOf(resource)) adaptStatement(statement);
  }
  for (const [id, resource] of Object.entries(template.Resources)) {
    const target = [...removed].find((name) => refersTo(resource.Properties, name));
    if (target !== undefined) throw new Error(`${id} refers to ${target}, which the emulator cannot deploy`);
  }
}

function removeUnsupported(template) {
  const removed = new Set();
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    const isMetricMath = Type === 'AWS::CloudWatch::Alarm' && Properties?.Metrics !== undefined;
    if (!UNSUPPORTED_TYPES.has(Type) && !isMetricMath && !isTlsOnly(Type, Properties)) continue;
    removed.add(id);
    delete template.Resources[id];
  }
  for (const resource of Object.values(template.Resources)) {
    if (resource.DependsOn === undefined) continue;
    const kept = [resource.DependsOn].flat().filter((id) => !removed.has(id));
    if (kept.length > 0) resource.DependsOn = kept;
    else delete resource.DependsOn;
  }
  for (const [name, output] of Object.entries(template.Outputs ?? {})) {
    if ([...removed].some((id) => refersTo(output, id))) delete template.Outputs[name];
  }
  return removed;
}

/** A bucket's policy against plain HTTP, which is all that the emulator speaks: nobody could use the bucket. */
function isTlsOnly(type, properties) {
  const statements = type === 'AWS::S3::BucketPolicy' ? properties.PolicyDocument.Statement : [];
  return [statements].flat().some(({ Condition }) => Condition?.Bool?.['aws:SecureTransport'] !== undefined);
}

function statementsOf({ Type, Properties = {} }) {
  const documents =
    Type === 'AWS::IAM::Role'
      ? (Properties.Policies ?? []).map(({ PolicyDocument }) => PolicyDocument)
      : ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].includes(Type)
        ? [Properties.PolicyDocument]
        : [];
  return documents.flatMap((document) => document?.Statement ?? []);
}

function adaptStatement(statement) {
  const actions = [statement.Action ?? []].flat();
  const batchForms = actions.map((action) => BATCH_FORMS[action]).filter((action) => action !== undefined);
  if (batchForms.length > 0) statement.Action = [...new Set([...actions, ...batchForms])];
  // A Deny without its condition would forbid more than on AWS.
  if (statement.Effect !== 'Allow' || statement.Condition === undefined) return;
  for (const [operator, keys] of Object.entries(statement.Condition)) {
    for (const key of Object.keys(keys)) if (UNKNOWN_CONDITION_KEYS.has(key)) delete keys[key];
    if (Object.keys(keys).length === 0) delete statement.Condition[operator];
  }
  if (Object.keys(statement.Condition).length === 0) delete statement.Condition;
}

/** Whether a part of a template names a resource by Ref, Fn::GetAtt or Fn::Sub. */
function refersTo(node, id) {
  if (node === null || typeof node !== 'object') return false;
  if (node.Ref === id) return true;
  const attribute = node['Fn::GetAtt'];
  if (attribute !== undefined && [attribute].flat()[0].split('.')[0] === id) return true;
  const text = [node['Fn::Sub'] ?? []].flat()[0];
  if (typeof text === 'string' && new RegExp(`\\$\\{${id}[.}]`).test(text)) return true;
  return Object.values(node).some((child) => refersTo(child, id));
}

/** An endpoint on this machine; AWS's own, set by hand, is no emulator. */
function isEmulator(url) {
  return url !== undefined && /^https?:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(url);
}

/** A second deploy finds the setting made by the first. */
async function unlessAlready(call) {
  try {
    await call;
  } catch (error) {
    if (error.name !== 'ValidationException' || !/already (en|dis)abled/i.test(error.message)) throw error;
  }
}

module.exports = LocalPlugin;
module.exports.adaptTemplate = adaptTemplate;
