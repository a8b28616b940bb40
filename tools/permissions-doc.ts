/** Document that is made here, from the repository's root. */
export const PERMISSIONS_DOC = 'docs/permissions.md';

/** One permission of one role of the compiled template. */
export interface PermissionRow {
  /** Name of the function, or `topic-rules`. */
  role: string;
  action: string;
  resource: string;
  condition: string;
  /** The files and SDK commands that take it, or who acts in the role's name. */
  neededBy: readonly string[];
  isAskedByEmulator: boolean;
}

const HEAD = `# Permissions

Made by \`npm run docs:permissions\` from the compiled template (stage \`dev\`); a test compares it with the template. No right is
granted that no row explains, and none is granted twice.

**Which test fails without a permission.** Of every row: \`tests/infrastructure/roles.test.ts\`, *the role of … allows what its code
calls and others do in its name, and nothing else*. It works out of each function's bundle which SDK commands can be called, and of
\`tests/infrastructure/role-table.ts\` what each takes; *lacks something as soon as any one of its permissions is removed* takes each
away in turn, in both variants of the template, and sees that the check fails. So it is the static test for every row.

*static, stack*: the AWS emulator, too, was seen to ask for this action of this role while the end-to-end tests ran (each decision of its
IAM noted, once, on 2026-11-29), so without it those tests meet a refusal. *static* alone: the emulator does not ask, or those tests do not
come there, and the static test is all there is until it runs on AWS.

\`<Table.Arn>\` and the like are what the template refers to; account, region and the eight characters of the stack are examples.
`;

/** The whole document. */
export function permissionsDoc(rows: readonly PermissionRow[]): string {
  const byRole = Map.groupBy(rows, ({ role }) => role);
  const sections = [...byRole].map(([role, own]) => `## ${role}\n\n${table(own)}\n`);
  return `${HEAD}\n${sections.join('\n')}`;
}

function table(rows: readonly PermissionRow[]): string {
  const lines = rows.map(({ action, resource, condition, neededBy, isAskedByEmulator }) =>
    [
      `\`${action}\``,
      `\`${resource}\`${condition === '' ? '' : ` if \`${condition}\``}`,
      neededBy.map(shortened).join('; '),
      isAskedByEmulator ? 'static, stack' : 'static',
    ].join(' | '),
  );
  return ['action | on | needed by | fails without it', '--- | --- | --- | ---', ...lines]
    .map((line) => `| ${line} |`)
    .join('\n');
}

/** Every adapter lies in the same folder. */
function shortened(why: string): string {
  return why.replace(/^lib\/adapters\/(\S+) (\w+)$/, '`$1` $2');
}
