import type { Fault } from '../fault.ts';
import { BROKER_FAULTS } from './brokers.ts';
import { CLOUD_FAULTS } from './cloud.ts';
import { FUNCTION_FAULTS } from './functions.ts';
import { LONG_FAULTS } from './long.ts';
import { ROCKETMQ_FAULTS } from './rocketmq.ts';

/** In the order in which they are tried. */
export const FAULTS: readonly Fault[] = [
  ...BROKER_FAULTS,
  ...ROCKETMQ_FAULTS,
  ...CLOUD_FAULTS,
  ...FUNCTION_FAULTS,
  ...LONG_FAULTS,
];
