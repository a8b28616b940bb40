'use strict';
// What the stage parameters of serverless.yml mean for the template, and a clear sentence when two of them disagree.
const { existsSync } = require('node:fs');
const { isAbsolute, normalize } = require('node:path');

/** Where Lambda unpacks a function's zip. */
const TASK_ROOT = '/var/task';

/** `vpc` of a data function: false outside a VPC. */
exports.vpc = async ({ resolveVariable }) => {
  const subnetIds = list(await resolveVariable('param:vpcSubnetIds'));
  const securityGroupIds = list(await resolveVariable('param:vpcSecurityGroupIds'));
  if ((subnetIds.length === 0) !== (securityGroupIds.length === 0)) {
    throw new Error('vpcSubnetIds and vpcSecurityGroupIds belong together: give both or none');
  }
  return subnetIds.length === 0 ? false : { subnetIds, securityGroupIds };
};

/** The network interface rights of a data function, which Lambda uses on its behalf. */
exports.vpcPolicy = async (context) => {
  if ((await exports.vpc(context)) === false) return { Ref: 'AWS::NoValue' };
  return {
    PolicyName: 'vpc',
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: [
            'ec2:CreateNetworkInterface',
            'ec2:DescribeNetworkInterfaces',
            'ec2:DescribeSubnets',
            'ec2:DeleteNetworkInterface',
            'ec2:AssignPrivateIpAddresses',
            'ec2:UnassignPrivateIpAddresses',
          ],
          Resource: '*',
        },
      ],
    },
  };
};

/** Files packed beside each bundle: the private CAs, if any. */
exports.packagedFiles = async ({ resolveVariable }) => {
  const file = caBundle(await resolveVariable('param:caBundleFile'));
  return file === undefined ? [] : [file];
};

/** `NODE_EXTRA_CA_CERTS` of the functions that reach brokers. */
exports.extraCaCerts = async ({ resolveVariable }) => {
  const file = caBundle(await resolveVariable('param:caBundleFile'));
  return file === undefined ? { Ref: 'AWS::NoValue' } : `${TASK_ROOT}/${file}`;
};

/** `authorizer` of every route: SigV4 unless the stage names a token issuer. There is no third way. */
exports.authorizer = async (context) =>
  (await jwt(context)) === undefined ? { type: 'aws_iam' } : { name: 'jwt' };

exports.authorizers = async (context) => {
  const settings = await jwt(context);
  if (settings === undefined) return {};
  return {
    jwt: {
      type: 'jwt',
      identitySource: '$request.header.Authorization',
      issuerUrl: settings.issuer,
      audience: settings.audience,
    },
  };
};

/** `Retain` keeps table and bucket when the stack goes: the only exception from leaving nothing behind. */
exports.deletionPolicy = async ({ resolveVariable }) =>
  String(await resolveVariable('param:keepData')) === 'true' ? 'Retain' : 'Delete';

/** Whom alarms tell: nobody unless the stage names a topic. */
exports.alarmActions = async ({ resolveVariable }) => {
  const arn = String(await resolveVariable('param:alarmTopicArn'));
  if (arn === '') return [];
  if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$/.test(arn)) {
    throw new Error(`alarmTopicArn must be the ARN of an SNS topic; got "${arn}"`);
  }
  return [arn];
};

/** Of five minutes each: how long tasks may run without a message. */
exports.noTrafficPeriods = async ({ resolveVariable }) => {
  const minutes = Number(await resolveVariable('param:alarmNoTrafficMinutes'));
  if (!Number.isInteger(minutes / 5) || minutes < 5 || minutes > 1_440) {
    throw new Error('alarmNoTrafficMinutes must be a multiple of 5 between 5 and 1440');
  }
  return minutes / 5;
};

async function jwt({ resolveVariable }) {
  const issuer = String(await resolveVariable('param:jwtIssuer'));
  const audience = list(await resolveVariable('param:jwtAudience'));
  if ((issuer === '') !== (audience.length === 0)) {
    throw new Error('jwtIssuer and jwtAudience belong together: give both or none');
  }
  return issuer === '' ? undefined : { issuer, audience };
}

function caBundle(value) {
  const file = String(value);
  if (file === '') return undefined;
  if (isAbsolute(file) || normalize(file).startsWith('..') || !existsSync(file)) {
    throw new Error(
      `caBundleFile must be an existing file inside the project, as a relative path; got "${file}"`,
    );
  }
  return normalize(file);
}

function list(value) {
  const items = Array.isArray(value) ? value : String(value).split(',');
  return items.map((item) => String(item).trim()).filter((item) => item !== '');
}
