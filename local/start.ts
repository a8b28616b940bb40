/**
 * `npm start`: the whole system on this machine, with simulated chargers. Ctrl-C ends it.
 * `-- --detach` returns when all is ready (`npm stop` ends it then); `-- --keep` keeps the data of the last run.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { DemoTask } from './demo/tasks.ts';
import { InterruptedError, LocalStackError } from './errors.ts';
import { PROJECT_DIR } from './layout.ts';
import { checkPrerequisites } from './prerequisites.ts';
import { createProgress } from './progress.ts';
import type { Stack } from './stack.ts';

/** By convention: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

const PARENT_POLL_MS = 500;

const progress = createProgress();
const interruption = new AbortController();
let ready = false;

process.exitCode = await main().catch(report);
if (interruption.signal.aborted) console.log('Stopped.');
// Whatever is still open, such as the connections of the demo, has nothing more to do.
process.exit();

async function main(): Promise<number> {
  const options = readArguments();
  const { signal } = interruption;
  stopOnSignals();
  const began = performance.now();
  console.log('Starting mqferry on this machine. Ctrl-C ends it.');
  const tools = await progress.step('prerequisites', checkPrerequisites, ({ versions }) => versions);
  // Only now: without the packages these modules could not even be loaded.
  const [{ startStack }, { startDemoTasks }, { startDemo }] = await Promise.all([
    import('./stack.ts'),
    import('./demo/tasks.ts'),
    import('./demo/demo.ts'),
  ]);
  const stack = await startStack({ tools, progress, signal, keep: options.keep });
  const ending = new AbortController();
  const demoSignal = AbortSignal.any([signal, ending.signal]);
  try {
    const demo = await whileAllRun(stack, async () => {
      const begin = () => startDemoTasks(stack, demoSignal);
      const tasks = await progress.step('tasks running', begin, (all) =>
        all.map(({ taskName }) => taskName).join(', '),
      );
      const connect = () => startDemo({ stack, signal: demoSignal, print: console.log });
      const connected = await progress.step('chargers, machines and business systems connected', connect);
      await connected.round();
      console.log(summary(stack, tasks, options.detach, (performance.now() - began) / 1000));
      return connected;
    });
    ready = true;
    if (options.detach) {
      await demo.end();
      stack.detach();
    } else {
      await whileAllRun(stack, () => demo.goOn());
    }
    return 0;
  } catch (error) {
    ending.abort();
    const exitCode = report(error);
    await stack.stop();
    return exitCode;
  }
}

function readArguments(): { detach: boolean; keep: boolean } {
  const boolean = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { detach: boolean, keep: boolean } }).values;
  } catch (error) {
    throw new LocalStackError('BAD_ARGUMENT', `${(error as Error).message}. Known are --detach and --keep.`);
  }
}

/** The first signal ends everything in order, the second at once. */
function stopOnSignals(): void {
  const interrupt = () => {
    console.log('Stopping …');
    interruption.abort(new InterruptedError());
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interrupt();
    });
  }
  if (process.env.npm_lifecycle_event === undefined) return;
  // npm ends on SIGTERM without handing it on, and nobody else would tell us.
  const { ppid: npm } = process;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    interrupt();
  }, PARENT_POLL_MS);
  watch.unref();
}

/** Does the work, or ends with one clear sentence when a part ends meanwhile. */
async function whileAllRun<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  // Loaded by now.
  const { partCrashed } = await import('./stack.ts');
  const crash = stack.crashed().then((end) => {
    throw partCrashed(end);
  });
  return await Promise.race([work(), crash]);
}

function summary(stack: Stack, tasks: readonly DemoTask[], detach: boolean, seconds: number): string {
  const { file } = stack;
  return [
    '',
    `Ready after ${seconds.toFixed(1)} s. Everything is described in ${relative(stack.layout.stackFile)}:`,
    `  API       ${file.api}`,
    `  devices   ${file.iot.url} (AWS IoT; header Host: ${file.iot.headers.Host})`,
    `  factory   ${file.mqtt.url} (MQTT broker)`,
    `  business  ${file.rocketmq.endpoint} (RocketMQ), name server ${file.rocketmq.nameServer}`,
    ...tasks.map(({ taskId, taskName, route }) => `  task      ${taskName.padEnd(16)} ${taskId}  ${route}`),
    detach
      ? 'It goes on in the background; "npm stop" ends it.'
      : 'Something happens every few seconds. Ctrl-C ends it.',
    '',
  ].join('\n');
}

function report(error: unknown): number {
  if (interruption.signal.aborted) return ready ? 0 : INTERRUPTED;
  if (error instanceof LocalStackError) console.error(`\n${error.message}`);
  else {
    const { message } = error instanceof Error ? error : new Error(String(error));
    console.error(
      `\nSomething failed that is not known here: ${message}. What was begun is stopped; "npm start" begins anew. Please report it if it stays, with this:`,
    );
    console.error(error);
  }
  return 1;
}

function relative(file: string): string {
  return path.relative(PROJECT_DIR, file);
}
