import type { z } from 'zod';
import { ClusterInput, TopicInput } from '../domain/clusters/cluster.ts';
import { TaskDefinition } from '../domain/tasks/task.ts';
import { TaskPatch } from '../domain/tasks/task-patch.ts';
import { CLUSTER_ROUTES, ClusterAnswer, TopicAnswer } from './cluster-routes.ts';
import { DEAD_LETTER_ROUTES, DiscardDeadLetters, RedriveDeadLetters } from './dead-letter-routes.ts';
import {
  DeadLetterAnswer,
  DeadLetterHeadAnswer,
  DeadLetterJobAnswer,
  DeadLetterSummaryAnswer,
} from './dead-letter-schemas.ts';
import { DOCS_ROUTES } from './docs-routes.ts';
import { METRICS_ROUTES } from './metrics-routes.ts';
import { MetricsAnswer } from './metrics-schemas.ts';
import {
  CreateTopic,
  LagAnswer,
  ListedTopicAnswer,
  PositionAnswer,
  PROBE_ROUTES,
  ResetPosition,
} from './probe-routes.ts';
import { FieldProblem, PROBLEM_CONTENT_TYPE, Problem } from './problem.ts';
import type { AnswerContract, Route, Routes } from './route.ts';
import type { Json } from './schema-book.ts';
import { createSchemaBook } from './schema-book.ts';
import { TASK_ROUTES } from './task-routes.ts';
import { CreateTask, EventAnswer, RevisionAnswer, TaskAnswer } from './task-schemas.ts';

/** Version of the contract: the first number grows when a caller would have to change. */
export const API_VERSION = '1.0.0';

/** Every route of the API. */
export const ROUTES: Routes = {
  ...CLUSTER_ROUTES,
  ...TASK_ROUTES,
  ...METRICS_ROUTES,
  ...DEAD_LETTER_ROUTES,
  ...PROBE_ROUTES,
  ...DOCS_ROUTES,
};

/** Statuses that any route may answer. */
const COMMON_PROBLEMS = [400, 401, 403, 500, 503, 504] as const;
const BODY_PROBLEMS = [413, 415] as const;

const PROBLEM_DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'A rule is broken; `errors` names each field',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'There is no such thing',
  409: 'Not in the present state of things; `code` says why',
  412: 'Changed meanwhile; `currentVersion` is the version by now',
  413: 'The body is too large',
  415: 'The body is not JSON',
  428: 'If-Match is missing',
  500: 'Something failed that should not have',
  502: 'The broker refused or could not be reached; `code` says why',
  503: 'Too many changes at once; repeat the request',
  504: 'No answer in time; it may have been done',
};

/** Requests and answers have components of their own: a default makes a member optional in one and certain in the other. */
const INPUTS: Readonly<Record<string, z.ZodType>> = {
  ClusterInput,
  TopicInput,
  CreateTopic,
  CreateTask,
  TaskPatch,
  ResetPosition,
  RedriveDeadLetters,
  DiscardDeadLetters,
  TaskSourceInput: TaskDefinition.shape.source,
  TaskTargetInput: TaskDefinition.shape.target,
  TaskOptionsInput: TaskDefinition.shape.options,
};
const OUTPUTS: Readonly<Record<string, z.ZodType>> = {
  Cluster: ClusterAnswer,
  Topic: TopicAnswer,
  ListedTopic: ListedTopicAnswer,
  Task: TaskAnswer,
  TaskSource: TaskDefinition.shape.source,
  TaskTarget: TaskDefinition.shape.target,
  TaskOptions: TaskDefinition.shape.options,
  TaskDefinition,
  TaskEvent: EventAnswer,
  TaskRevision: RevisionAnswer,
  TaskPosition: PositionAnswer,
  TaskLag: LagAnswer,
  TaskMetrics: MetricsAnswer,
  DeadLetterHead: DeadLetterHeadAnswer,
  DeadLetter: DeadLetterAnswer,
  DeadLetterSummary: DeadLetterSummaryAnswer,
  DeadLetterJob: DeadLetterJobAnswer,
  Problem,
  FieldProblem,
};

const inputs = createSchemaBook(
  INPUTS,
  Object.values(ROUTES).flatMap(({ params, query, body }) => [
    params,
    query,
    ...(body === undefined ? [] : [body]),
  ]),
  'input',
);
const outputs = createSchemaBook(OUTPUTS, Object.values(ROUTES).flatMap(answerSchemas), 'output');

/** The OpenAPI 3.1 document of the API, made from the schemas that check the requests. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'mqferry',
      version: API_VERSION,
      summary: 'Replication tasks between MQTT and RocketMQ 5',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ sigv4: [] }, { jwt: [] }],
    paths: pathsOf(ROUTES),
    components: {
      schemas: { ...inputs.components, ...outputs.components },
      headers: { ETag: { description: 'The version', schema: { type: 'string', example: '"3"' } } },
      securitySchemes: {
        sigv4: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'AWS Signature Version 4, service execute-api; the default',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
        jwt: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Where the stack is deployed with jwtIssuer and jwtAudience',
        },
      },
    },
  };
}

function answerSchemas({ answers }: Route): z.ZodType[] {
  return Object.values(answers).flatMap(({ schema }) => (schema === undefined ? [] : [schema]));
}

function pathsOf(routes: Routes): Json {
  const paths: Record<string, Json> = {};
  for (const [key, route] of Object.entries(routes)) {
    const [method = '', path = ''] = key.split(' ');
    const item = paths[path] ?? {};
    item[method.toLowerCase()] = operationOf(route, path);
    paths[path] = item;
  }
  return paths;
}

function operationOf(route: Route, path: string): Json {
  const tag = path.split('/')[1]?.replace('.json', '') ?? '';
  return {
    operationId: route.operationId,
    tags: [tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...headersOf(route),
    ],
    ...(route.body === undefined ? {} : { requestBody: requestBodyOf(route.body) }),
    responses: responsesOf(route),
  };
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = inputs.use(schema);
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...type }]) => ({
    name,
    in: place,
    required: place === 'path' || (required as string[]).includes(name),
    ...(description === undefined ? {} : { description }),
    schema: type,
  }));
}

function headersOf(route: Route): Json[] {
  const headers: Json[] = [];
  if (route.ifMatch !== undefined) {
    headers.push({
      name: 'If-Match',
      in: 'header',
      required: route.ifMatch === 'required',
      description: 'ETag of the last read: refused with 412 if something has changed since',
      schema: { type: 'string', example: '"3"' },
    });
  }
  if (route.idempotencyKey === true) {
    headers.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'Any text of yours, one for each task you want',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  }
  return headers;
}

function requestBodyOf(body: z.ZodType): Json {
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema: inputs.use(body) } },
  };
}

function responsesOf(route: Route): Json {
  const problems = [
    ...COMMON_PROBLEMS,
    ...route.problems,
    ...(route.body === undefined ? [] : BODY_PROBLEMS),
  ];
  return {
    ...Object.fromEntries(
      Object.entries(route.answers).map(([status, answer]) => [status, answerOf(answer)]),
    ),
    ...Object.fromEntries(problems.map((status) => [status, problemAnswer(status)])),
  };
}

function answerOf({ description, schema, etag, contentType = 'application/json' }: AnswerContract): Json {
  return {
    description,
    ...(etag === true ? { headers: { ETag: { $ref: '#/components/headers/ETag' } } } : {}),
    ...(schema === undefined
      ? {}
      : {
          content: {
            [contentType]: { schema: outputs.use(schema) },
          },
        }),
  };
}

function problemAnswer(status: number): Json {
  return {
    description: PROBLEM_DESCRIPTIONS[status] ?? '',
    content: { [PROBLEM_CONTENT_TYPE]: { schema: outputs.use(Problem) } },
  };
}
