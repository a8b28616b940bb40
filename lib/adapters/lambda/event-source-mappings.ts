import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  type ListEventSourceMappingsCommandInput,
  ListTagsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type {
  EventSourceMappings,
  Mapping,
  MappingSpec,
  MappingState,
} from '../../ports/event-source-mappings.ts';
import { controlPlaneCall, type Pace } from '../aws/control-plane-call.ts';
import { errorOfLambda, isDuplicate, isNoSuchMapping } from './errors.ts';

/** Lambda answers at most 100 mappings at a time. */
const LIST_PAGE = 100;
const MAX_PAGES = 100;

type Send = (options: { abortSignal: AbortSignal }) => Promise<EventSourceMappingConfiguration>;

/** Event source mappings of AWS Lambda, all calls within one rate limit: Lambda's control plane has one for all. */
export function createLambdaEventSourceMappings({
  lambda,
  pace,
}: {
  lambda: Pick<LambdaClient, 'send'>;
  pace: Pace;
}): EventSourceMappings {
  const call = <T>(
    kind: Parameters<Pace>[0],
    doing: string,
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
  ) =>
    controlPlaneCall(
      () => pace(kind),
      send,
      (error) => errorOfLambda(error, doing),
    );

  const change = async (doing: string, send: Send) => mappingOf(await call('write', doing, send));

  async function listAll(filter: ListEventSourceMappingsCommandInput): Promise<Mapping[]> {
    const mappings: Mapping[] = [];
    let Marker: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await call('list', 'listing mappings', (options) =>
        lambda.send(new ListEventSourceMappingsCommand({ ...filter, MaxItems: LIST_PAGE, Marker }), options),
      );
      mappings.push(...(answer.EventSourceMappings ?? []).map(mappingOf));
      Marker = answer.NextMarker;
      if (!Marker) break;
    }
    return mappings;
  }

  async function find(queueArn: string, functionName: string): Promise<Mapping | undefined> {
    const found = await listAll({ EventSourceArn: queueArn, FunctionName: functionName });
    return found.find((mapping) => mapping.state !== 'Deleting') ?? found[0];
  }

  return {
    async create(spec) {
      const doing = `creating the mapping of ${spec.queueArn}`;
      // AWS refuses a second one with 409; where it does not, and to save a refusal, we look first.
      const existing = await find(spec.queueArn, spec.functionName);
      if (existing !== undefined) return existing;
      try {
        return await change(doing, (options) =>
          lambda.send(
            new CreateEventSourceMappingCommand({
              ...form(spec),
              EventSourceArn: spec.queueArn,
              FunctionName: spec.functionName,
              Tags: { ...spec.tags },
            }),
            options,
          ),
        );
      } catch (error) {
        if (!(error instanceof ControlPlaneError) || !isDuplicate(error.cause)) throw error;
        // Not in the list yet: the same error, which is `not-yet`, has us come again.
        const made = await find(spec.queueArn, spec.functionName);
        if (made === undefined) throw error;
        return made;
      }
    },

    get: (uuid) =>
      unlessGone(async () =>
        mappingOf(
          await call('read', `reading mapping ${uuid}`, (options) =>
            lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }), options),
          ),
        ),
      ),

    findByQueue: find,

    update: (uuid, spec) =>
      unlessGone(() =>
        change(`changing mapping ${uuid}`, (options) =>
          lambda.send(
            new UpdateEventSourceMappingCommand({
              ...form(spec),
              UUID: uuid,
              FunctionName: spec.functionName,
              // Empty: the filter that somebody gave it goes.
              FilterCriteria: {},
            }),
            options,
          ),
        ),
      ),

    async delete(uuid) {
      await unlessGone(() =>
        change(`deleting mapping ${uuid}`, (options) =>
          lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }), options),
        ),
      );
    },

    // No such function: then it has no mappings.
    list: async (functionName) => (await unlessGone(() => listAll({ FunctionName: functionName }))) ?? [],

    async tags(arn) {
      const answer = await unlessGone(() =>
        call('read', `reading the tags of ${arn}`, (options) =>
          lambda.send(new ListTagsCommand({ Resource: arn }), options),
        ),
      );
      return answer?.Tags ?? {};
    },
  };
}

function form(spec: Omit<MappingSpec, 'queueArn' | 'tags'>) {
  const { maximumBatchingWindowSeconds: windowSeconds } = spec;
  return {
    Enabled: spec.enabled,
    BatchSize: spec.batchSize,
    ...(windowSeconds === undefined ? {} : { MaximumBatchingWindowInSeconds: windowSeconds }),
    ScalingConfig: { MaximumConcurrency: spec.maximumConcurrency },
    FunctionResponseTypes: ['ReportBatchItemFailures' as const],
  };
}

function mappingOf(found: EventSourceMappingConfiguration): Mapping {
  const { UUID, EventSourceMappingArn, EventSourceArn, FunctionArn, State } = found;
  if (!UUID || !EventSourceMappingArn || !EventSourceArn || !FunctionArn || !State) {
    throw new ControlPlaneError('Lambda described a mapping without saying what it is', {
      code: 'MAPPING_UNCLEAR',
      reaction: 'not-yet',
    });
  }
  const maximumConcurrency = found.ScalingConfig?.MaximumConcurrency;
  return {
    uuid: UUID,
    arn: EventSourceMappingArn,
    queueArn: EventSourceArn,
    functionName: FunctionArn.split(':')[6] ?? FunctionArn,
    state: State as MappingState,
    batchSize: found.BatchSize ?? 0,
    maximumBatchingWindowSeconds: found.MaximumBatchingWindowInSeconds ?? 0,
    reportsBatchItemFailures: found.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    isFiltered: (found.FilterCriteria?.Filters ?? []).length > 0,
    ...(maximumConcurrency === undefined ? {} : { maximumConcurrency }),
  };
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ControlPlaneError && isNoSuchMapping(error.cause)) return undefined;
    throw error;
  }
}
