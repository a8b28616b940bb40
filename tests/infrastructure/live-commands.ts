import { build } from 'esbuild';
import { ROOT } from './compiled-stack.ts';

/** A place of our own code that sends an SDK command, and that a function really holds. */
export interface LiveCommand {
  file: string;
  command: string;
}

export interface LiveCode {
  commands: LiveCommand[];
  /** Our own code that is left in the bundle, by file. */
  sources: ReadonlyMap<string, string>;
}

/**
 * Bundles a function as for its deployment, but readable and with its packages left out: what tree shaking leaves is the
 * code that can run, and what it names of the SDK are the calls that can be made.
 */
export async function liveCode(entryPoint: string): Promise<LiveCode> {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    treeShaking: true,
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.text ?? '';
  const sources = sectionsOf(text);
  const commands: LiveCommand[] = [];
  for (const { imported, local } of importedCommands(text)) {
    const use = new RegExp(`\\b${local}\\b`);
    for (const [file, code] of sources) {
      if (use.test(code.replace(/^import .*$/gm, ''))) commands.push({ file, command: imported });
    }
  }
  return { commands, sources };
}

/** esbuild begins the code of each file with its path in a comment. */
function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  let file = '';
  for (const line of text.split('\n')) {
    const header = /^\/\/ ((?:lib|functions)\/[\w./-]+\.ts)$/.exec(line);
    if (header !== null) file = header[1] ?? '';
    else sections.set(file, `${sections.get(file) ?? ''}${line}\n`);
  }
  return sections;
}

function importedCommands(text: string): { imported: string; local: string }[] {
  const imports = text.matchAll(/^import \{([^}]*)\} from "@aws-sdk\/[\w-]+";$/gm);
  return [...imports].flatMap(([, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim().split(' as '))
      .filter(([imported = '']) => /^(?:\w+Command|paginate\w+|waitUntil\w+)$/.test(imported))
      .map(([imported = '', local = imported]) => ({ imported, local })),
  );
}
