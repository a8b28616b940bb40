import type { TaskOptions } from '../domain/tasks/task.ts';
import { alibabaNames } from './alibaba-names.ts';
import type { NameSet } from './name-set.ts';
import { nativeNames } from './native-names.ts';
import { rocketmqMqttNames } from './rocketmq-mqtt-names.ts';

/** The name sets a task can choose from (`options.propertyNames`). */
export const NAME_SETS: Readonly<Record<TaskOptions['propertyNames'], NameSet>> = {
  native: nativeNames,
  alibaba: alibabaNames,
  'rocketmq-mqtt': rocketmqMqttNames,
};
