import { describe, expect, it } from '@jest/globals';
import {
  brokerConfig,
  nameServerConfig,
  proxyConfig,
  type RocketmqSettings,
} from '../../../local/parts/rocketmq-config.ts';

const SETTINGS: RocketmqSettings = {
  home: '/clone/.local/rocketmq',
  ports: { grpc: 8081, proxyRemoting: 8080, nameServer: 9876, broker: 10911 },
  acl: undefined,
  tls: undefined,
};
const acl = { username: 'admin', password: 'pass-word' };

const lines = (config: string) => config.trimEnd().split('\n');

describe('nameServerConfig', () => {
  it('listens on the loopback interface only', () => {
    expect(lines(nameServerConfig(SETTINGS))).toEqual(['listenPort=9876', 'bindAddress=127.0.0.1']);
  });
});

describe('brokerConfig', () => {
  it('advertises the loopback address and registers with the name server', () => {
    expect(lines(brokerConfig(SETTINGS))).toEqual(
      expect.arrayContaining([
        'brokerIP1=127.0.0.1',
        'bindAddress=127.0.0.1',
        'namesrvAddr=127.0.0.1:9876',
        'listenPort=10911',
        'haListenPort=10912',
        'storePathRootDir=/clone/.local/rocketmq/store',
      ]),
    );
  });

  it('knows no access control unless asked', () => {
    expect(brokerConfig(SETTINGS)).not.toMatch(/auth/i);
  });

  it('ends with what else is asked for, which wins', () => {
    const brokerSettings = { diskMaxUsedSpaceRatio: 80 };
    const ratios = lines(brokerConfig({ ...SETTINGS, brokerSettings })).filter((line) =>
      /^diskMax/.test(line),
    );
    expect(ratios).toEqual(['diskMaxUsedSpaceRatio=80']);
  });

  it('turns on ACL 2.0 with the first user', () => {
    expect(lines(brokerConfig({ ...SETTINGS, acl }))).toEqual(
      expect.arrayContaining([
        'authenticationEnabled=true',
        'authorizationEnabled=true',
        'initAuthenticationUser={"username":"admin","password":"pass-word"}',
        'innerClientAuthenticationCredentials={"accessKey":"admin","secretKey":"pass-word"}',
      ]),
    );
  });
});

describe('proxyConfig', () => {
  it('takes several acknowledgements per request', () => {
    expect(JSON.parse(proxyConfig(SETTINGS))).toEqual({
      rocketMQClusterName: 'DefaultCluster',
      namesrvAddr: '127.0.0.1:9876',
      grpcServerPort: 8081,
      remotingListenPort: 8080,
      enableBatchAck: true,
    });
  });

  it('shows its own certificate instead of a self-made one', () => {
    const tls = { certificateFile: '/c.pem', privateKeyFile: '/k.pem' };
    expect(JSON.parse(proxyConfig({ ...SETTINGS, tls }))).toMatchObject({
      tlsTestModeEnable: false,
      tlsCertPath: '/c.pem',
      tlsKeyPath: '/k.pem',
    });
  });

  it('asks for credentials with ACL', () => {
    expect(JSON.parse(proxyConfig({ ...SETTINGS, acl }))).toMatchObject({
      authenticationEnabled: true,
      authorizationEnabled: true,
    });
  });
});
