import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';

type Resolver = (context: { resolveVariable: (name: string) => Promise<unknown> }) => Promise<unknown>;
const parameters = createRequire(import.meta.url)('../../tools/stage-parameters.cjs') as Record<
  string,
  Resolver
>;

/** What a resolver makes of stage parameters; those not given are empty, as in serverless.yml. */
async function resolved(resolver: string, given: Record<string, unknown> = {}): Promise<unknown> {
  const resolveVariable = async (name: string) => given[name.replace('param:', '')] ?? '';
  return await parameters[resolver]?.({ resolveVariable });
}

describe('stage parameters', () => {
  it('put data functions into a VPC only when both lists are given', async () => {
    expect(await resolved('vpc')).toBe(false);
    expect(await resolved('vpc', { vpcSubnetIds: 'a, b', vpcSecurityGroupIds: ['c'] })).toEqual({
      subnetIds: ['a', 'b'],
      securityGroupIds: ['c'],
    });
    await expect(resolved('vpc', { vpcSubnetIds: 'a' })).rejects.toThrow(/belong together/);
    await expect(resolved('vpcPolicy', { vpcSecurityGroupIds: 'a' })).rejects.toThrow(/belong together/);
  });

  it('know two ways to authorise and no third', async () => {
    expect(await resolved('authorizer')).toEqual({ type: 'aws_iam' });
    const given = { jwtIssuer: 'https://issuer.example', jwtAudience: 'mqferry' };
    expect(await resolved('authorizer', given)).toEqual({ name: 'jwt' });
    await expect(resolved('authorizer', { jwtIssuer: given.jwtIssuer })).rejects.toThrow(/belong together/);
    await expect(resolved('authorizers', { jwtAudience: 'mqferry' })).rejects.toThrow(/belong together/);
  });

  it.each(['/etc/ca.pem', '../ca.pem', 'certificates/none.pem'])(
    'refuse %j as a bundle of CAs',
    async (file) => {
      await expect(resolved('packagedFiles', { caBundleFile: file })).rejects.toThrow(/inside the project/);
    },
  );

  it('tell alarms to a topic, to nobody, or say what is wrong', async () => {
    const topic = 'arn:aws:sns:eu-west-1:123456789012:on-call';
    expect(await resolved('alarmActions')).toEqual([]);
    expect(await resolved('alarmActions', { alarmTopicArn: topic })).toEqual([topic]);
    await expect(resolved('alarmActions', { alarmTopicArn: 'on-call' })).rejects.toThrow(
      /ARN of an SNS topic/,
    );
  });

  it('count the minutes without traffic in fives, up to a day', async () => {
    expect(await resolved('noTrafficPeriods', { alarmNoTrafficMinutes: '60' })).toBe(12);
    for (const alarmNoTrafficMinutes of [0, 7, 1_445, 'soon']) {
      await expect(resolved('noTrafficPeriods', { alarmNoTrafficMinutes })).rejects.toThrow(/multiple of 5/);
    }
  });

  it('keep data for the word true alone', async () => {
    expect(await resolved('deletionPolicy', { keepData: true })).toBe('Retain');
    expect(await resolved('deletionPolicy', { keepData: 'true' })).toBe('Retain');
    expect(await resolved('deletionPolicy', { keepData: 'yes' })).toBe('Delete');
  });
});
