import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { CFN_LINT, compiledStack, VARIANTS, type Variant } from './compiled-stack.ts';

interface Finding {
  Level: string;
  Rule: { Id: string };
  Message: string;
  Location: { Path: unknown };
}

describe('cfn-lint', () => {
  it.each(Object.keys(VARIANTS) as Variant[])(
    'finds no error in the template, %s',
    (variant) => {
      const { templateFile } = compiledStack(variant);
      const { status, stdout, stderr } = spawnSync(
        CFN_LINT,
        // W3005: osls repeats as DependsOn what a reference says already.
        ['--format', 'json', '--ignore-checks', 'W3005', '--regions', 'eu-west-1', '--', templateFile],
        { encoding: 'utf8', timeout: 120_000 },
      );
      expect(stderr).toBe('');
      const findings = (JSON.parse(stdout) as Finding[]).map(
        ({ Level, Rule, Message }) => `${Level} ${Rule.Id} ${Message}`,
      );
      expect(findings).toEqual([]);
      expect(status).toBe(0);
    },
    120_000,
  );
});
