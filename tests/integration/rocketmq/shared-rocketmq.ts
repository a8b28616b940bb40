import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Rocketmq, startBroker, startRocketmq } from '../../../local/parts/rocketmq.ts';

/** What tests ask of a RocketMQ. */
export type RocketmqUnderTest = Pick<
  Rocketmq,
  'endpoint' | 'nameServer' | 'ports' | 'kill' | 'restart' | 'stop'
> & {
  readonly broker: { readonly pid: number };
};

interface SharedState {
  home: string;
  ports: Rocketmq['ports'];
  brokerPid: number;
  nameServerPid: number;
}

/** Set by the set-up of the integration tests: where the state is told, from one test file to the next. */
const STATE_FILE = 'MQFERRY_SHARED_ROCKETMQ';
const GONE_MS = 10_000;
const POLL_MS = 20;

/** Whether files of this run, one after the other, use one RocketMQ: starting one takes two processors for half a minute. */
export const sharesRocketmq = (): boolean => process.env[STATE_FILE] !== undefined;

/**
 * The RocketMQ of all test files, which the first of them starts. A file may kill it, stop it and fill it with topics; the
 * next finds it at work again.
 */
export async function sharedRocketmq(home: string): Promise<RocketmqUnderTest> {
  const state = (await readState()) ?? (await startShared(home));
  const alive = await awaken(state);
  return controlOf(alive);
}

/** Ends it, when one was started. */
export async function stopSharedRocketmq(): Promise<void> {
  const state = await readState();
  if (state === undefined) return;
  await end(state.brokerPid);
  await end(state.nameServerPid);
}

/** Begins a run: nothing is shared yet. */
export async function shareRocketmq(stateFile: string): Promise<void> {
  process.env[STATE_FILE] = stateFile;
  await writeFile(stateFile, '');
}

async function startShared(home: string): Promise<SharedState> {
  const { ports, broker, nameServerProcess } = await startRocketmq({ home });
  return remember({ home, ports, brokerPid: broker.pid, nameServerPid: nameServerProcess.pid });
}

/** A file that failed may have left it stopped, or dead. */
async function awaken(state: SharedState): Promise<SharedState> {
  send(state.brokerPid, 'SIGCONT');
  return isAlive(state.brokerPid) ? state : restarted(state);
}

async function restarted({ home, ports, ...others }: SharedState): Promise<SharedState> {
  const { pid } = await startBroker({ home, ports });
  return remember({ ...others, home, ports, brokerPid: pid });
}

function controlOf(first: SharedState): RocketmqUnderTest {
  const { ports } = first;
  let state = first;
  return {
    endpoint: `127.0.0.1:${ports.grpc}`,
    nameServer: `127.0.0.1:${ports.nameServer}`,
    ports,
    get broker() {
      return { pid: state.brokerPid };
    },
    kill: () => end(state.brokerPid),
    async restart() {
      await end(state.brokerPid);
      state = await restarted(state);
    },
    // It goes on for the next file.
    stop: async () => undefined,
  };
}

async function readState(): Promise<SharedState | undefined> {
  const file = process.env[STATE_FILE];
  const text = file === undefined ? '' : await readFile(file, 'utf8');
  return text === '' ? undefined : (JSON.parse(text) as SharedState);
}

async function remember(state: SharedState): Promise<SharedState> {
  await writeFile(process.env[STATE_FILE] ?? '', JSON.stringify(state));
  return state;
}

async function end(pid: number): Promise<void> {
  send(pid, 'SIGKILL');
  const deadline = Date.now() + GONE_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not end`);
    await delay(POLL_MS);
  }
}

const isAlive = (pid: number): boolean => send(pid, 0);

/** Answers false when there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
