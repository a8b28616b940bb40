import path from 'node:path';
import { type CompiledStack, compiledStack, VARIANTS, type Variant } from './compiled-stack.ts';
import { type LiveCode, type LiveCommand, liveCode } from './live-commands.ts';
import {
  COMMANDS,
  NEVER_CALLED,
  OF_TOPIC_RULES,
  OF_VPC,
  ON_BEHALF,
  type Right,
  rightsOfMapping,
} from './role-table.ts';
import { statementsOf } from './statements.ts';

/** A right that something of ours takes, and what: the file with its SDK command, or who acts in the role's name. */
export interface NeededRight extends Right {
  why: string;
}

/** A role of the template: whose it is, and what it grants, one entry for each action and resource of each statement. */
export interface RoleRights {
  roleId: string;
  /** Name of the function's file; `topic-rules` for the one role that is no function's. */
  name: string;
  variant: Variant;
  granted: Right[];
}

const TOPIC_RULE_ROLE = 'TopicRuleRole';

/** Every role of a variant of the stack, in the words of the table of rights, which is written for stage `dev`. */
export function rolesOf(variant: Variant): RoleRights[] {
  const stack = compiledStack(variant);
  const functions = new Map(
    stack
      .ofType('AWS::Lambda::Function')
      .map(([id, { Handler }]) => [
        id.replace('LambdaFunction', 'Role'),
        path.basename(String(Handler), '.handler'),
      ]),
  );
  return stack.ofType('AWS::IAM::Role').map(([roleId, role]) => {
    const name = functions.get(roleId) ?? (roleId === TOPIC_RULE_ROLE ? 'topic-rules' : undefined);
    if (name === undefined)
      throw new Error(`the role ${roleId} is neither a function's nor that of topic rules`);
    const granted = statementsOf(role).flatMap(({ actions, resources, conditions }) =>
      actions.flatMap((action) => resources.map((resource) => ({ action, resource, conditions }))),
    );
    return { roleId, name, variant, granted: inWordsOfDev(granted, variant) };
  });
}

/** What the code of a role's function takes, and what others do in its name. */
export async function neededBy({ roleId, name, variant }: RoleRights): Promise<NeededRight[]> {
  const stack: CompiledStack = compiledStack(variant);
  if (roleId === TOPIC_RULE_ROLE) return because('AWS IoT runs the actions of topic rules', OF_TOPIC_RULES);
  const id = roleId.replace('Role', 'LambdaFunction');
  const [, properties] =
    stack.ofType('AWS::Lambda::Function').find(([functionId]) => functionId === id) ?? [];
  const { FunctionName, VpcConfig } = properties ?? {};
  const logGroup = `arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/${FunctionName}:*`;
  const mappings = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(([, mapping]) => mapping.FunctionName === `<${id}.Arn>`)
    .flatMap(([, { EventSourceArn }]) => rightsOfMapping(String(EventSourceArn)));
  const code = await liveCode(`functions/${name}.ts`);
  const needed = [
    ...code.commands.flatMap((call) => rightsOfCall(call, code, name)),
    ...because("Lambda reads the function's queue", mappings),
    ...because(ON_BEHALF[name]?.who ?? '', ON_BEHALF[name]?.rights ?? []),
    ...because(
      'Lambda writes the log',
      ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resource: logGroup })),
    ),
    ...(VpcConfig === undefined ? [] : because('Lambda keeps network interfaces in the VPC', OF_VPC)),
  ];
  return inWordsOfDev(needed, variant);
}

/** What a role lacks of what is needed, what of it nobody needs, and what it grants twice. Empty: it is exact. */
export function faultsOf(granted: readonly Right[], needed: readonly Right[]): string[] {
  const lines = granted.map(lineOf);
  const has = new Set(lines);
  const wanted = new Set(needed.map(lineOf));
  return [
    ...[...wanted].filter((line) => !has.has(line)).map((line) => `missing: ${line}`),
    ...[...has].filter((line) => !wanted.has(line)).map((line) => `unused: ${line}`),
    ...lines.filter((line, index) => lines.indexOf(line) < index).map((line) => `twice: ${line}`),
  ];
}

/** One line for each right, so that a difference can be read. */
export function lineOf({ action, resource, conditions = {} }: Right): string {
  const condition = Object.keys(conditions).length === 0 ? [] : [JSON.stringify(conditions)];
  return [action, resource, ...condition].join(' ');
}

function inWordsOfDev<T extends Right>(rights: readonly T[], variant: Variant): T[] {
  const { stage, params } = VARIANTS[variant];
  const text = JSON.stringify(rights)
    .replaceAll(`mqferry-${stage}`, 'mqferry-dev')
    .replaceAll(`mqferry_${stage.replaceAll('-', '_')}`, 'mqferry_dev');
  const prefix = 'secretNamePrefix' in params ? params.secretNamePrefix : 'mqferry/dev/';
  return JSON.parse(
    text
      .replaceAll(`:secret:${prefix}`, ':secret:mqferry/dev/')
      .replaceAll(`:parameter/${prefix}`, ':parameter/mqferry/dev/'),
  ) as T[];
}

function rightsOfCall(call: LiveCommand, code: LiveCode, name: string): NeededRight[] {
  const rights = COMMANDS[call.file]?.[call.command]?.(code, name) ?? [];
  const never = (NEVER_CALLED[name] ?? []).filter(
    ({ file, command }) => file === call.file && command === call.command,
  );
  const isMade = (right: Right) =>
    !never.some(
      ({ on }) => on === undefined || (on.action === right.action && on.resource === right.resource),
    );
  return because(`${call.file} ${call.command}`, rights.filter(isMade));
}

function because(why: string, rights: readonly Right[]): NeededRight[] {
  return rights.map((right) => ({ ...right, why }));
}
