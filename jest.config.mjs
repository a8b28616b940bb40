/** One project per kind of test; every project shares the TypeScript transform. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.local', '<rootDir>/.serverless', '<rootDir>/.esbuild'],
};

export default {
  testSequencer: '<rootDir>/tests/end-to-end/sequencer.mjs',
  // Phases run side by side, so a test may get the processor late. It bounds what hangs and measures nothing.
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/tests/{lib,functions,contract,local,fuzz}/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'infrastructure',
      // Packages the service once for all of them.
      globalSetup: '<rootDir>/tests/infrastructure/set-up.ts',
      testMatch: ['<rootDir>/tests/infrastructure/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'integration',
      globalSetup: '<rootDir>/tests/integration/global-setup.ts',
      globalTeardown: '<rootDir>/tests/integration/global-teardown.ts',
      testMatch: [
        '<rootDir>/tests/integration/{aws-iot,cloud,dynamodb,mqtt,rocketmq-access,s3,secrets,sqs}/**/*.test.ts',
      ],
    },
    {
      ...shared,
      // Its files use one RocketMQ, one after the other, and mostly wait: `npm test` runs the other two beside it.
      displayName: 'integration-rocketmq',
      globalSetup: '<rootDir>/tests/integration/global-setup.ts',
      globalTeardown: '<rootDir>/tests/integration/global-teardown.ts',
      testMatch: ['<rootDir>/tests/integration/rocketmq/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'integration-replication',
      globalSetup: '<rootDir>/tests/integration/global-setup.ts',
      globalTeardown: '<rootDir>/tests/integration/global-teardown.ts',
      testMatch: ['<rootDir>/tests/integration/{replication,shifts}/**/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'end-to-end',
      testMatch: ['<rootDir>/tests/end-to-end/**/*.test.ts'],
      globalSetup: '<rootDir>/tests/end-to-end/global-setup.ts',
      globalTeardown: '<rootDir>/tests/end-to-end/global-teardown.ts',
    },
  ],
};
