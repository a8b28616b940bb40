import { randomUUID } from 'node:crypto';
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetAccountSettingsCommand,
  GetEventSourceMappingCommand,
  InvalidParameterValueException,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  ResourceConflictException,
  ResourceInUseException,
  ResourceNotFoundException,
  TooManyRequestsException,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { createStaleCollection, createThrottle, refused, type StrictContext } from './strict-cloud-parts.ts';
import type { StrictQueue } from './strict-cloud-queues.ts';

const CALLS_PER_SECOND = 15;
const SHORTEST_CHANGE_MS = 5_000;
const LONGEST_CHANGE_MS = 60_000;

type Form = Pick<
  CreateEventSourceMappingCommand['input'],
  | 'BatchSize'
  | 'MaximumBatchingWindowInSeconds'
  | 'ScalingConfig'
  | 'FunctionResponseTypes'
  | 'FilterCriteria'
>;

export interface StrictMapping extends Form {
  uuid: string;
  queueArn: string;
  functionName: string;
  enabled: boolean;
  tags: Record<string, string>;
  /** A change that is under way, and when it ends. */
  changing?: { state: 'Creating' | 'Enabling' | 'Disabling' | 'Updating' | 'Deleting'; untilMs: number };
}

/** Lambda's mappings as strict as they are: changes take 5 to 60 s and exclude one another, duplicates are refused. */
export function createStrictMappings(
  { clock, random, region, accountId }: StrictContext,
  { functionName, functionTimeoutSeconds }: { functionName: string; functionTimeoutSeconds: number },
  queueOf: (arn: string) => StrictQueue | undefined,
) {
  const mappings = createStaleCollection<StrictMapping>(clock);
  const allowed = createThrottle(clock);
  const changeUntil = () =>
    clock.now() + SHORTEST_CHANGE_MS + random() * (LONGEST_CHANGE_MS - SHORTEST_CHANGE_MS);
  const arnOf = (uuid: string) => `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${uuid}`;

  /** Ends the changes whose time has come. */
  function settle(): void {
    for (const { name, value } of mappings.all()) {
      if (value.changing === undefined || value.changing.untilMs > clock.now()) continue;
      if (value.changing.state === 'Deleting') mappings.remove(name);
      delete value.changing;
    }
  }

  function at(uuid = ''): StrictMapping {
    const mapping = mappings.get(uuid);
    if (mapping !== undefined) return mapping;
    throw new ResourceNotFoundException(refused('The resource you requested does not exist.', 404));
  }

  function stable(uuid = ''): StrictMapping {
    const mapping = at(uuid);
    if (mapping.changing === undefined) return mapping;
    throw new ResourceInUseException(
      refused(`The operation cannot be performed: the mapping is ${mapping.changing.state}`),
    );
  }

  function check(form: Form, queueArn: string): void {
    if (queueArn.endsWith('.fifo')) {
      if (form.MaximumBatchingWindowInSeconds !== undefined)
        throw invalid('Batching window is not supported for FIFO queues');
      if ((form.BatchSize ?? 10) > 10) throw invalid('Batch size must be at most 10 for FIFO queues');
    }
    if ((form.BatchSize ?? 10) > 10 && !form.MaximumBatchingWindowInSeconds) {
      throw invalid(
        'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
      );
    }
    if ((form.ScalingConfig?.MaximumConcurrency ?? 2) < 2)
      throw invalid('MaximumConcurrency must be at least 2');
  }

  function create(input: CreateEventSourceMappingCommand['input']): StrictMapping {
    const { EventSourceArn: queueArn = '', FunctionName, Enabled = true, Tags = {}, ...rest } = input;
    const queue = queueOf(queueArn);
    if (queue === undefined)
      throw invalid(`Error occurred while ReceiveMessage. The specified queue does not exist.`);
    if (FunctionName !== functionName) throw invalid(`Function not found: ${FunctionName}`);
    if (Number(queue.attributes.VisibilityTimeout) < functionTimeoutSeconds) {
      throw invalid(
        `Queue visibility timeout is less than Function timeout: ${functionTimeoutSeconds} seconds`,
      );
    }
    if (mappings.all().some(({ value }) => value.queueArn === queueArn)) {
      throw new ResourceConflictException(
        refused('An event source mapping with this queue and function exists', 409),
      );
    }
    check(rest, queueArn);
    const uuid = randomUUID();
    const changing = { state: 'Creating' as const, untilMs: changeUntil() };
    const mapping = {
      ...formOf(rest),
      uuid,
      queueArn,
      functionName,
      enabled: Enabled,
      tags: { ...Tags },
      changing,
    };
    mappings.add(uuid, mapping);
    return mapping;
  }

  function update(input: UpdateEventSourceMappingCommand['input']): StrictMapping {
    const mapping = stable(input.UUID);
    check({ ...mapping, ...formOf(input) }, mapping.queueArn);
    const { Enabled: enabled = mapping.enabled } = input;
    const state = enabled === mapping.enabled ? 'Updating' : enabled ? 'Enabling' : 'Disabling';
    Object.assign(mapping, formOf(input), { enabled, changing: { state, untilMs: changeUntil() } });
    return mapping;
  }

  const described = (mapping: StrictMapping) => ({
    ...formOf(mapping),
    UUID: mapping.uuid,
    EventSourceMappingArn: arnOf(mapping.uuid),
    EventSourceArn: mapping.queueArn,
    FunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${mapping.functionName}`,
    State: stateOf(mapping),
  });

  /** Answers a command of the SDK, or throws its exception. */
  function handle(command: unknown): unknown {
    if (!allowed('lambda', CALLS_PER_SECOND))
      throw new TooManyRequestsException(refused('Rate exceeded', 429));
    settle();
    if (command instanceof CreateEventSourceMappingCommand) return described(create(command.input));
    if (command instanceof GetEventSourceMappingCommand) return described(at(command.input.UUID));
    if (command instanceof UpdateEventSourceMappingCommand) return described(update(command.input));
    if (command instanceof DeleteEventSourceMappingCommand) {
      const mapping = stable(command.input.UUID);
      mapping.changing = { state: 'Deleting', untilMs: changeUntil() };
      return described(mapping);
    }
    if (command instanceof ListEventSourceMappingsCommand) {
      const { EventSourceArn, FunctionName } = command.input;
      const listed = mappings
        .listed()
        .map(({ value }) => value)
        .filter((mapping) => EventSourceArn === undefined || mapping.queueArn === EventSourceArn)
        .filter((mapping) => FunctionName === undefined || mapping.functionName === FunctionName);
      return { EventSourceMappings: listed.map(described) };
    }
    if (command instanceof ListTagsCommand) {
      return { Tags: { ...at(command.input.Resource?.split(':').at(-1)).tags } };
    }
    if (command instanceof GetAccountSettingsCommand) {
      return { AccountLimit: { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 900 } };
    }
    throw new TypeError('the strict cloud does not know this command of Lambda');
  }

  return {
    handle,
    /** Mappings as they are now. */
    all(): StrictMapping[] {
      settle();
      return mappings.all().map(({ value }) => value);
    },
    add: (mapping: StrictMapping) => mappings.add(mapping.uuid, mapping),
  };
}

export function stateOf(mapping: StrictMapping): string {
  return mapping.changing?.state ?? (mapping.enabled ? 'Enabled' : 'Disabled');
}

function formOf({
  BatchSize,
  MaximumBatchingWindowInSeconds,
  ScalingConfig,
  FunctionResponseTypes,
  FilterCriteria,
}: Form): Form {
  return { BatchSize, MaximumBatchingWindowInSeconds, ScalingConfig, FunctionResponseTypes, FilterCriteria };
}

function invalid(message: string): InvalidParameterValueException {
  return new InvalidParameterValueException(refused(message));
}
