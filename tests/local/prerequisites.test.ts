import { describe, expect, it } from '@jest/globals';
import { checkPrerequisites, type Found, missingTools } from '../../local/prerequisites.ts';

const COMPLETE: Found = {
  node: '24.21.0',
  java: 'openjdk version "17.0.15" 2025-04-15',
  javaCompiler: true,
  maven: '/usr/bin/mvn',
  python: '3.11.7',
  pythonVenv: true,
  packages: true,
};

describe('missingTools', () => {
  it('finds nothing on a complete machine', () => {
    expect(missingTools(COMPLETE)).toEqual([]);
  });

  it.each<{ found: Partial<Found> }>([
    { found: { node: '20.0.0' } },
    { found: { java: 'openjdk version "21" 2023-09-19' } },
    { found: { java: 'java version "25.0.1" 2025-10-21 LTS' } },
    { found: { python: '3.10.0' } },
    { found: { python: '4.0.0' } },
  ])('accepts $found', ({ found }) => {
    expect(missingTools({ ...COMPLETE, ...found })).toEqual([]);
  });

  it.each<{ found: Partial<Found>; sentence: string }>([
    {
      found: { node: '18.20.4' },
      sentence: 'Node 18.20.4 is too old: install Node 20 or newer (https://nodejs.org).',
    },
    { found: { packages: false }, sentence: 'The packages are not installed: run "npm ci" first.' },
    {
      found: { java: undefined },
      sentence:
        'Java is missing: install a JDK 17 or newer (package "openjdk-17-jdk-headless", or https://adoptium.net), or let JAVA_HOME point to it.',
    },
    {
      found: { java: 'java version "1.8.0_392"' },
      sentence:
        'Java 1.8.0 is too old: install a JDK 17 or newer (package "openjdk-17-jdk-headless", or https://adoptium.net).',
    },
    {
      found: { javaCompiler: false },
      sentence:
        'Java 17.0.15 is a runtime without compiler: install a JDK 17 or newer (package "openjdk-17-jdk-headless", or https://adoptium.net).',
    },
    {
      found: { maven: undefined },
      sentence:
        'Maven is missing: install it (package "maven", or https://maven.apache.org) so that "mvn" is on the PATH.',
    },
    {
      found: { python: undefined },
      sentence:
        'Python is missing: install Python 3.10 or newer (https://www.python.org) so that "python3" is on the PATH.',
    },
    {
      found: { python: '3.9.18' },
      sentence: 'Python 3.9.18 is too old: install Python 3.10 or newer (https://www.python.org).',
    },
    {
      found: { pythonVenv: false },
      sentence:
        'Python 3.11.7 cannot make virtual environments: install its venv module (package "python3-venv").',
    },
  ])('says: $sentence', ({ found, sentence }) => {
    expect(missingTools({ ...COMPLETE, ...found })).toEqual([sentence]);
  });

  it('names everything at once', () => {
    expect(missingTools({ ...COMPLETE, java: undefined, maven: undefined, python: undefined })).toHaveLength(
      3,
    );
  });
});

describe('checkPrerequisites', () => {
  it('fails with the sentences on a machine with nothing on its PATH', async () => {
    await expect(checkPrerequisites({ PATH: '/nowhere' })).rejects.toMatchObject({
      code: 'PREREQUISITE_MISSING',
      message: expect.stringMatching(/^Java is missing: .+\nMaven is missing: .+\nPython is missing: .+$/),
    });
  });

  it('says which Java is meant when JAVA_HOME points nowhere', async () => {
    await expect(checkPrerequisites({ ...process.env, JAVA_HOME: '/nowhere' })).rejects.toThrow(
      'Java is missing',
    );
  });
});
