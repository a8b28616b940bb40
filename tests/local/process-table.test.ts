import { describe, expect, it } from '@jest/globals';
import { belongsTo, listProcesses } from '../../local/process-table.ts';

const DIR = '/clone/.local';

describe('listProcesses', () => {
  it('finds this process with its command line', async () => {
    const [self] = await listProcesses(process.pid);
    expect(self?.pid).toBe(process.pid);
    expect(self?.command.join(' ')).toMatch(/node|jest/);
  });

  it('lists this process among all', async () => {
    expect((await listProcesses()).map(({ pid }) => pid)).toContain(process.pid);
  });

  it('answers nothing for a pid that does not exist', async () => {
    expect(await listProcesses(2 ** 22 + 1)).toEqual([]);
  });
});

describe('belongsTo', () => {
  it.each([
    { what: 'a part that works in there', command: ['java', '-version'], cwd: `${DIR}/rocketmq` },
    {
      what: 'a part whose arguments lie in there',
      command: ['java', `-Duser.home=${DIR}/mqtt-broker`],
      cwd: '/',
    },
    { what: 'the emulator', command: [`${DIR}/venv/bin/python`, '-m', 'ministack'], cwd: '/' },
    { what: "the emulator's function workers", command: ['node', `${DIR}/aws/tmp/worker.js`], cwd: '/' },
  ])('takes $what', ({ command, cwd }) => {
    expect(belongsTo(DIR, { pid: 1, command, cwd })).toBe(true);
  });

  it.each([
    { what: 'a shell that somebody left in there', command: ['bash'], cwd: DIR },
    { what: 'a pager on a log', command: ['less', `${DIR}/aws/aws.log`], cwd: '/clone' },
    {
      what: 'a part of another clone',
      command: ['java', '-Duser.home=/other/.local/x'],
      cwd: '/other/.local',
    },
    { what: 'a folder that only begins alike', command: ['node', 'x.js'], cwd: `${DIR}-old` },
  ])('leaves $what', ({ command, cwd }) => {
    expect(belongsTo(DIR, { pid: 1, command, cwd })).toBe(false);
  });
});
