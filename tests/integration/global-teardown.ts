import { stopSharedRocketmq } from './rocketmq/shared-rocketmq.ts';

/** Ends what the global set-up began, also when tests failed. */
export default async function globalTeardown(): Promise<void> {
  await stopSharedRocketmq();
  await globalThis.emulatorOfTheIntegrationTests?.process.stop();
}
