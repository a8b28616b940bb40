import { DescribeEndpointCommand, IoTClient } from '@aws-sdk/client-iot';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createDataEndpoints } from '../../../../lib/adapters/aws-iot/data-endpoint.ts';

const iot = mockClient(IoTClient);
const create = () => createDataEndpoints();
const awsError = (name: string) => Object.assign(new Error(name), { name });

beforeEach(() => {
  iot.reset();
});

describe('createDataEndpoints', () => {
  it('asks a region once, however many ask at the same time', async () => {
    iot.on(DescribeEndpointCommand, { endpointType: 'iot:Data-ATS' }).resolves({ endpointAddress: 'host' });
    const endpoints = create();
    expect(await Promise.all([endpoints.hostOf('eu-west-1'), endpoints.hostOf('eu-west-1')])).toEqual([
      'host',
      'host',
    ]);
    await endpoints.hostOf('eu-west-1');
    expect(iot.calls()).toHaveLength(1);
    await endpoints.hostOf('us-east-1');
    expect(iot.calls()).toHaveLength(2);
  });

  it.each([
    ['ThrottlingException', { reaction: 'throttle', code: 'TARGET_THROTTLED', waitMs: 2_000 }],
    ['UnauthorizedException', { reaction: 'hold', code: 'ACCESS_DENIED', scope: 'cluster' }],
    ['ECONNREFUSED', { reaction: 'retry', code: 'TARGET_UNAVAILABLE' }],
    ['InternalFailureException', { reaction: 'retry', code: 'TARGET_UNAVAILABLE' }],
  ])('throws for %s, and asks again the next time', async (name, expected) => {
    const endpoints = create();
    iot.on(DescribeEndpointCommand).rejectsOnce(awsError(name)).resolves({ endpointAddress: 'host' });
    await expect(endpoints.hostOf('eu-west-1')).rejects.toMatchObject(expected);
    expect(await endpoints.hostOf('eu-west-1')).toBe('host');
  });

  it('throws when no endpoint is named', async () => {
    iot.on(DescribeEndpointCommand).resolves({});
    await expect(create().hostOf('eu-west-1')).rejects.toMatchObject({ reaction: 'retry' });
  });
});
