import { describe, expect, it } from '@jest/globals';
import { ClusterInput } from '../../../../lib/domain/clusters/cluster.ts';

const rocketmq = { kind: 'rocketmq', name: 'Business', region: 'ap-guangzhou-1', endpoint: 'host:8081' };
const mqtt = { kind: 'mqtt', name: 'Factory', region: 'eu-west-1', url: 'mqtts://host' };

const wrongFields = (body: unknown) => {
  const { error } = ClusterInput.safeParse(body);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('ClusterInput', () => {
  it.each(['host:1', 'host:65535', '10.0.0.1:8081'])('takes the endpoint %s', (endpoint) => {
    expect(wrongFields({ ...rocketmq, endpoint, nameServer: endpoint })).toBeUndefined();
  });

  it.each(['host:0', 'host:65536', 'host:99999'])('refuses the endpoint %s', (address) => {
    expect(wrongFields({ ...rocketmq, endpoint: address })).toEqual(['endpoint: a port from 1 to 65535']);
    expect(wrongFields({ ...rocketmq, nameServer: address })).toEqual(['nameServer: a port from 1 to 65535']);
    const url = `wss://${address}/mqtt`;
    expect(wrongFields({ ...mqtt, url })).toEqual(['url: a port from 1 to 65535']);
  });

  it.each(['mqtts://host', 'ws://host/mqtt:99999', 'mqtt://host:1883'])('takes the URL %s', (url) => {
    expect(wrongFields({ ...mqtt, url })).toBeUndefined();
  });

  it.each(['MQ_INST_123_Bcd', 'rocketmq-abc|space'])('takes the namespace %s', (namespace) => {
    expect(wrongFields({ ...rocketmq, namespace })).toBeUndefined();
  });

  it.each(['', 'tenant-ä', 'a b', 'a\nb', 'x'.repeat(256)])('refuses the namespace %j', (namespace) => {
    const rule = 'namespace: 1 to 255 printable ASCII characters without spaces';
    expect(wrongFields({ ...rocketmq, namespace })).toEqual([rule]);
  });
});
