import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PermissionRow } from '../../tools/permissions-doc.ts';
import { ROOT } from './compiled-stack.ts';
import { lineOf, type NeededRight, neededBy, type RoleRights, rolesOf } from './role-rights.ts';
import type { Right } from './role-table.ts';

/** Actions by role for which the emulator asked during the end-to-end tests: see docs/permissions.md for how that was seen. */
const ASKED = path.join(ROOT, 'tests', 'infrastructure', 'asked-by-emulator.json');

/** A row for each permission of each role; those of a VPC, which are the same for five roles, at their end. */
export async function permissionRows(): Promise<PermissionRow[]> {
  const asked = JSON.parse(readFileSync(ASKED, 'utf8')) as Record<string, string[]>;
  const rows: PermissionRow[] = [];
  for (const role of rolesOf('plain')) rows.push(...(await rowsOf(role, role.granted, asked)));
  const plain = new Map(
    rolesOf('plain').map(({ roleId, granted }) => [roleId, new Set(granted.map(lineOf))]),
  );
  for (const role of rolesOf('full')) {
    const more = role.granted.filter((right) => !plain.get(role.roleId)?.has(lineOf(right)));
    rows.push(...(await rowsOf(role, more, asked)));
  }
  return rows;
}

async function rowsOf(
  role: RoleRights,
  granted: readonly Right[],
  asked: Readonly<Record<string, string[]>>,
): Promise<PermissionRow[]> {
  const needed = await neededBy(role);
  return granted.map((right) => ({
    role: role.name,
    action: right.action,
    resource: right.resource,
    condition: Object.values(right.conditions ?? {})
      .flatMap((keys) => Object.entries(keys))
      .map(([key, value]) => `${key} = ${value}`)
      .join(', '),
    neededBy: reasonsOf(right, needed),
    isAskedByEmulator: asked[role.name]?.includes(right.action) ?? false,
  }));
}

function reasonsOf(right: Right, needed: readonly NeededRight[]): string[] {
  const line = lineOf(right);
  return [...new Set(needed.filter((other) => lineOf(other) === line).map(({ why }) => why))];
}
