import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

describe('docs/security.md', () => {
  it('names tests that are there', () => {
    const text = readFileSync(path.join(ROOT, 'docs', 'security.md'), 'utf8');
    const named = [...text.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file = '']) => file);
    const tests = globSync('tests/**/*.test.ts', { cwd: ROOT });
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((file) => !tests.some((test) => `/${test}`.endsWith(`/${file}`)))).toEqual([]);
  });
});
