import type { Fault } from '../fault.ts';
import { BROKER_FAULTS, FAST_BROKER_FAULTS } from './brokers.ts';
import { CLOUD_FAULTS } from './cloud.ts';
import { FAST_FUNCTION_FAULTS, FUNCTION_FAULTS } from './functions.ts';
import { LONG_FAULTS } from './long.ts';
import { REPEATED_FAULTS } from './repeated.ts';
import { ROCKETMQ_FAULTS } from './rocketmq.ts';

/** In the order in which they are tried. */
export const FAULTS: readonly Fault[] = [
  ...BROKER_FAULTS,
  ...ROCKETMQ_FAULTS,
  ...CLOUD_FAULTS,
  ...REPEATED_FAULTS,
  ...FUNCTION_FAULTS,
  ...FAST_BROKER_FAULTS,
  ...FAST_FUNCTION_FAULTS,
  ...LONG_FAULTS,
];
