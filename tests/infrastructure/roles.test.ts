import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PERMISSIONS_DOC, permissionsDoc } from '../../tools/permissions-doc.ts';
import { ROOT, VARIANTS, type Variant } from './compiled-stack.ts';
import { liveCode } from './live-commands.ts';
import { permissionRows } from './permission-rows.ts';
import { faultsOf, neededBy, rolesOf } from './role-rights.ts';
import { COMMANDS, NEVER_CALLED } from './role-table.ts';

const roles = (Object.keys(VARIANTS) as Variant[])
  .flatMap(rolesOf)
  .map((role) => ({ role, name: role.name, variant: role.variant }));

describe.each(roles)('the role of $name, $variant', ({ role }) => {
  it('allows what its code calls and others do in its name, and nothing else', async () => {
    expect(faultsOf(role.granted, await neededBy(role))).toEqual([]);
  });

  it('lacks something as soon as any one of its permissions is removed', async () => {
    const needed = await neededBy(role);
    const unnoticed = role.granted.filter(
      (_, removed) =>
        faultsOf(
          role.granted.filter((_other, index) => index !== removed),
          needed,
        ).length === 0,
    );
    expect(role.granted.length).toBeGreaterThan(0);
    expect(unnoticed).toEqual([]);
  });
});

const functions = roles.filter(({ variant, name }) => variant === 'plain' && name !== 'topic-rules');

describe('the table of rights', () => {
  it.each(functions)('knows every call of $name', async ({ name }) => {
    const { commands } = await liveCode(`functions/${name}.ts`);
    expect(commands.filter(({ file, command }) => COMMANDS[file]?.[command] === undefined)).toEqual([]);
  });

  it.each(functions)('leaves out only calls that are there of $name', async ({ name }) => {
    const { commands } = await liveCode(`functions/${name}.ts`);
    for (const { file, command } of NEVER_CALLED[name] ?? []) {
      expect(commands).toContainEqual({ file, command });
    }
  });

  it('has no call that no function makes', async () => {
    const made = new Set<string>();
    for (const { name } of functions) {
      const { commands } = await liveCode(`functions/${name}.ts`);
      for (const { file, command } of commands) {
        const isNever = (NEVER_CALLED[name] ?? []).some(
          (never) => never.file === file && never.command === command && never.on === undefined,
        );
        if (!isNever) made.add(`${file} ${command}`);
      }
    }
    const known = Object.entries(COMMANDS).flatMap(([file, commands]) =>
      Object.keys(commands).map((command) => `${file} ${command}`),
    );
    expect(known.filter((call) => !made.has(call))).toEqual([]);
  });
});

describe('docs/permissions.md', () => {
  it('says what the roles allow now: npm run docs:permissions', async () => {
    const written = readFileSync(path.join(ROOT, PERMISSIONS_DOC), 'utf8');
    expect(written).toBe(permissionsDoc(await permissionRows()));
  });
});
