import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { type ManagedProcess, startProcess } from './child-process.ts';

function startScript(script: string, env: Readonly<Record<string, string>> = {}): ManagedProcess {
  return startProcess({ command: process.execPath, args: ['--input-type=module', '-e', script], env });
}

const log = (line: object): string => `console.log(${JSON.stringify(JSON.stringify(line))});`;
const stayForever = 'setInterval(() => {}, 1000);';

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('follows the log and gives lines of the past and of the future', async () => {
  const managed = startScript(`console.log('plain');${log({ event: 'first', n: 1 })}${log({ event: 'second' })}`);

  expect(await managed.waitForLog((line) => line['event'] === 'second')).toEqual({ event: 'second' });
  expect(await managed.waitForLog((line) => line['event'] === 'first')).toEqual({ event: 'first', n: 1 });
  expect(await managed.waitForExit()).toBe(0);
  expect(managed.logs).toEqual([{ event: 'first', n: 1 }, { event: 'second' }]);
});

test('has the environment it is given, with PATH and HOME, and nothing else of ours', async () => {
  process.env['POSTRIDER_LEAK'] = 'leaked';
  const managed = startScript('console.log(JSON.stringify(process.env))', { GIVEN: 'yes' });
  const environment = await managed.waitForLog(() => true);
  delete process.env['POSTRIDER_LEAK'];

  expect(environment).toMatchObject({ GIVEN: 'yes', PATH: process.env['PATH'] });
  expect(environment).not.toHaveProperty('POSTRIDER_LEAK');
});

test('tells how it ended', async () => {
  expect(await startScript('process.exit(3)').waitForExit()).toBe(3);

  const killed = startScript(`${log({ event: 'started' })}${stayForever}`);
  await killed.waitForLog((line) => line['event'] === 'started');
  killed.kill('SIGKILL');
  expect(await killed.waitForExit()).toBe('SIGKILL');

  expect(await startProcess({ command: '/nowhere/program', args: [] }).waitForExit()).toMatch(/ENOENT/);
});

test('a line that never comes fails with what the process said instead', async () => {
  const managed = startScript(`${log({ event: 'other' })}console.error('no database');process.exitCode = 1;`);
  const failure = managed.waitForLog((line) => line['event'] === 'started');
  await expect(failure).rejects.toThrow(/ended with 1[^]*no database[^]*"other"/);
  expect(managed.stderr()).toBe('no database\n');

  const silent = startScript(stayForever);
  await expect(silent.waitForLog(() => true, 20)).rejects.toThrow('Waited 20 ms for the awaited log line.');
  silent.kill('SIGKILL');
  await silent.waitForExit();
});

test.each([
  ['ends', 'process.exit(0);'],
  ['fails', "throw new Error('a bug');"],
])('a child does not outlive the process that started it when that %s', async (_how, last) => {
  const module = JSON.stringify(new URL('child-process.ts', import.meta.url).href);
  const parent = startProcess({
    command: process.execPath,
    args: [
      '--input-type=module',
      '-e',
      `import { startProcess } from ${module};
       const child = startProcess({ command: process.execPath, args: ['-e', ${JSON.stringify(stayForever)}], detached: true });
       console.log(JSON.stringify({ event: 'child', pid: child.pid }));
       setImmediate(() => { ${last} });`,
    ],
  });
  const pid = Number((await parent.waitForLog((line) => line['event'] === 'child'))['pid']);
  await parent.waitForExit();
  await eventually(() => !isRunning(pid));
});
