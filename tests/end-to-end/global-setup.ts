import { rm } from 'node:fs/promises';
import { type Stack, startStack } from '../../local/stack.ts';
import { API_RECORD, TEST_STACK_DIR } from '../helpers/stack-under-test.ts';

declare global {
  var stackOfTheEndToEndTests: Stack | undefined;
}

/** One real stack for all end-to-end tests, beside whatever else runs on this machine. */
export default async function globalSetup(): Promise<void> {
  await rm(API_RECORD, { force: true });
  if (process.env.MQFERRY_STACK_DIR !== undefined) return;
  globalThis.stackOfTheEndToEndTests = await startStack({ dir: TEST_STACK_DIR, ports: 'free' });
}
