import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compiledStack } from './compiled-stack.ts';
import { type LiveCode, type LiveCommand, liveCode } from './live-commands.ts';
import { COMMANDS, NEVER_CALLED, ON_BEHALF, type Right, rightsOfMapping } from './role-table.ts';
import { statementsOf } from './statements.ts';

const stack = compiledStack('plain');
const roles = new Map(stack.ofType('AWS::IAM::Role'));
const functions = stack.ofType('AWS::Lambda::Function').map(([id, { Handler, FunctionName }]) => ({
  id,
  name: path.basename(String(Handler), '.handler'),
  logGroup: `arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/${FunctionName}:*`,
}));

/** One line for each right, so that a difference reads as what is missing and what nobody uses. */
function lines(rights: readonly Right[]): string[] {
  const texts = rights.map(({ action, resource, conditions = {} }) =>
    [action, resource, ...(Object.keys(conditions).length === 0 ? [] : [JSON.stringify(conditions)])].join(
      ' ',
    ),
  );
  return [...new Set(texts)].sort();
}

function granted(roleId: string): Right[] {
  return statementsOf(roles.get(roleId) ?? {}).flatMap(({ actions, resources, conditions }) =>
    actions.flatMap((action) => resources.map((resource) => ({ action, resource, conditions }))),
  );
}

function needed(name: string, id: string, logGroup: string, code: LiveCode): Right[] {
  const never = NEVER_CALLED[name] ?? [];
  const mappings = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(([, { FunctionName }]) => FunctionName === `<${id}.Arn>`)
    .flatMap(([, { EventSourceArn }]) => rightsOfMapping(String(EventSourceArn)));
  const rightsOf = ({ file, command }: LiveCommand) => COMMANDS[file]?.[command]?.(code, name) ?? [];
  const isMade = (call: LiveCommand, right: Right) =>
    !never.some(
      ({ file, command, on }) =>
        file === call.file &&
        command === call.command &&
        (on === undefined || (on.action === right.action && on.resource === right.resource)),
    );
  return [
    ...code.commands.flatMap((call) => rightsOf(call).filter((right) => isMade(call, right))),
    ...mappings,
    ...(ON_BEHALF[name] ?? []),
    { action: 'logs:CreateLogStream', resource: logGroup },
    { action: 'logs:PutLogEvents', resource: logGroup },
  ];
}

describe.each(functions)('the role of $name', ({ id, name, logGroup }) => {
  it('allows what the function calls, and nothing else', async () => {
    const code = await liveCode(`functions/${name}.ts`);
    expect(lines(granted(id.replace('LambdaFunction', 'Role')))).toEqual(
      lines(needed(name, id, logGroup, code)),
    );
  });

  it('is for calls that the table of rights knows', async () => {
    const { commands } = await liveCode(`functions/${name}.ts`);
    const unknown = commands.filter(({ file, command }) => COMMANDS[file]?.[command] === undefined);
    expect(unknown).toEqual([]);
  });

  it('leaves out only calls that are there', async () => {
    const { commands } = await liveCode(`functions/${name}.ts`);
    for (const { file, command } of NEVER_CALLED[name] ?? []) {
      expect(commands).toContainEqual({ file, command });
    }
  });
});
